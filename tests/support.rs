//! The vendor's SDKs, unmodified, cannot tell the service from the cloud: every public method of each, with every option
//! that changes what goes over the wire, judged by its effect. What works is written into `docs/protocol-support.md`.

#[path = "strangers/support/survey.rs"]
mod survey;
#[path = "strangers/support/table.rs"]
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

/// What does not work, by its name in every SDK, and why: the words of the table.
const EXCEPTIONS: [(&str, &str); 3] = [
    ("client access token: MQTT", "MQTT is not supported"),
    ("client access token: Socket.IO", "Socket.IO is not supported"),
    ("group joined and left events", "a preview; only its SDK is public"),
];

#[tokio::test]
async fn every_sdk_does_all_that_it_can_and_the_document_says_so() -> anyhow::Result<()> {
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
