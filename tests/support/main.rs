//! Compatibility with the vendor's unmodified SDKs: every public method of each, with every option
//! that affects the wire format, tested by its effect. The results are in `docs/protocol-support.md`.

mod survey;
mod table;

use std::{collections::BTreeSet, path::Path};

use survey::{Language, Sdk, WORKS, survey};
use table::{Kind, render, stands_in};

const KINDS: [Kind; 3] = [
    Kind {
        title: "Service SDKs",
        sdks: &[
            "@azure/web-pubsub",
            "azure-messaging-webpubsubservice",
            "azure-messaging-webpubsubservice, aio",
        ],
    },
    Kind {
        title: "Client SDKs",
        sdks: &[
            "@azure/web-pubsub-client",
            "azure-messaging-webpubsubclient",
            "azure-messaging-webpubsubclient, aio",
        ],
    },
    Kind { title: "Event handlers", sdks: &["@azure/web-pubsub-express"] },
];

/// Unsupported operations, with the reasons in the table.
const EXCEPTIONS: [(&str, &str); 2] = [
    ("client access token: MQTT", "MQTT is not supported"),
    ("client access token: Socket.IO", "Socket.IO is not supported"),
];

#[tokio::test]
async fn every_sdk_operation_works_as_documented() -> anyhow::Result<()> {
    let (javascript, python) = tokio::try_join!(survey(Language::JavaScript), survey(Language::Python))?;
    let mut sdks: Vec<Sdk> = javascript.into_iter().chain(python).collect();
    let mut complaints = Vec::new();
    for sdk in &mut sdks {
        let covered: BTreeSet<&String> =
            sdk.operations.iter().flat_map(|operation| &operation.covers).collect();
        let methods: BTreeSet<&String> = sdk.methods.iter().collect();
        for method in covered.symmetric_difference(&methods) {
            complaints.push(format!("{}: {method} is not covered, or not there", sdk.name));
        }
        for operation in &mut sdk.operations {
            let exception = EXCEPTIONS.iter().find(|(name, _)| *name == operation.name);
            match (exception, operation.outcome == WORKS) {
                (None, true) => {}
                (None, false) => complaints.push(format!("{}: {operation:?}", sdk.name)),
                (Some((name, _)), true) => complaints.push(format!("{name} is an exception no more")),
                (Some((_, why)), false) => (*why).clone_into(&mut operation.outcome),
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol-support.md");
    stands_in(&document, &render(&KINDS, &sdks)?)
}
