//! npm package of the JavaScript client in place of the official one: types, the same program on both, versions of Node.js.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tailcast_tests::{
    bundled::Application, environment::node_modules, fixed_response::FixedResponse, server::Server,
    web_server::free_address,
};

/// Import of the official package.
const OFFICIAL: &str = "@azure/web-pubsub-client";
/// Versions of Node.js beside the installed one, of which `tests/strangers/package.json` has those for this platform.
const VERSIONS: [u32; 4] = [18, 20, 22, 24];

/// Returns the programs of Node.js: the installed one, and those of the packages.
fn nodes() -> anyhow::Result<Vec<PathBuf>> {
    let modules = node_modules()?;
    let packaged = VERSIONS.iter().map(|version| modules.join(format!("node-{version}/bin/node")));
    Ok(std::iter::once(PathBuf::from("node")).chain(packaged.filter(|node| node.is_file())).collect())
}

/// Returns the address of a service that does not exist.
fn nowhere() -> anyhow::Result<String> {
    Ok(format!("ws://{}/client/hubs/chat?access_token=t", free_address()?))
}

#[tokio::test]
async fn a_program_for_the_official_package_compiles_with_another_import() -> anyhow::Result<()> {
    let application = Application::new("drop-in-types").await?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("bundled");
    let program = fs::read_to_string(sources.join("drop_in_program.ts"))?;
    assert!(program.contains(OFFICIAL));
    application.write("drop_in_program_ours.ts", &program.replace(OFFICIAL, "webpubsub-client"))?;
    application.node("typescript/bin/tsc", &["--project", "tsconfig.drop-in.json"]).await.map(drop)
}

#[tokio::test]
async fn the_same_program_has_the_same_results_with_both_packages() -> anyhow::Result<()> {
    let application = Application::new("drop-in").await?;
    let handler =
        FixedResponse::with("200 OK", "application/json\r\nWebHook-Allowed-Origin: *", "{\"sum\":3}").await?;
    let rule = format!("url-template={} user-event-pattern=add,note hub=chat", handler.url("/{event}"));
    let hub = Server::start_hub(&["--event-handler", &rule]).await?;
    let service = hub.connection_string()?.reveal();
    let nowhere = nowhere()?;
    let run = async |node: &Path, package: &str| {
        application.script_with(node, "drop_in.mjs", &[package, &service, &nowhere]).await
    };
    let expected = run(Path::new("node"), OFFICIAL).await?;
    assert!(expected.lines().count() > 60, "{expected}");
    // The package by which the program gets its URLs requires the `crypto` of Node.js 20.
    for node in nodes()?.into_iter().filter(|node| !node.to_string_lossy().contains("node-18/")) {
        let printed = run(&node, "webpubsub-client").await?;
        let differing: Vec<_> =
            expected.lines().zip(printed.lines()).filter(|(official, ours)| official != ours).collect();
        assert!(differing.is_empty(), "{}: {differing:#?}", node.display());
        assert_eq!(expected.lines().count(), printed.lines().count(), "{}: {printed}", node.display());
    }
    Ok(())
}

#[tokio::test]
async fn failed_attempts_are_reported_at_once_in_every_version_of_node() -> anyhow::Result<()> {
    let application = Application::new("drop-in-refused").await?;
    let nowhere = nowhere()?;
    for node in nodes()? {
        let started = std::time::Instant::now();
        let printed = application.script_with(&node, "client_refused.mjs", &[&nowhere]).await?;
        assert_eq!(printed, "WebPubSubError ConnectionRefused 3\n", "{}", node.display());
        // Less than the timeout of one step, which is 15 s.
        assert!(started.elapsed().as_secs() < 12, "{}: {:?}", node.display(), started.elapsed());
    }
    Ok(())
}

#[tokio::test]
async fn the_package_works_in_every_version_of_node() -> anyhow::Result<()> {
    let application = Application::new("client-node").await?;
    let server = Server::start(&[]).await?;
    for node in nodes()? {
        let printed = application.script_with(&node, "client_node.mjs", &[&server.negotiate_url()]).await?;
        assert_eq!(printed, "{\"hello\":\"node\"}\n", "{}", node.display());
    }
    Ok(())
}
