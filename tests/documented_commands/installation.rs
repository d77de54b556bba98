//! Documented commands that install the program, the packages and the example.

use std::fs;

use tailcast_tests::{
    environment,
    server::{Server, negotiated_url},
    socket::{JSON, Socket},
    with_timeout,
};

use crate::{
    documents::{Step, occurrences, root},
    sandbox::Sandbox,
};

/// Installs the program.
const COPY: &str = "cp target/release/tailcast ~/.cargo/bin/";
/// Runs the example of the Rust client.
const EXAMPLE: &str = "cargo run -p webpubsub-client --features native --example echo -- \
                       'http://127.0.0.1:8080/negotiate?group=from&group=to' from to";

/// npm package, with the documented commands that pack and install it.
struct Package {
    name: &'static str,
    pack: &'static str,
    install: &'static str,
}

const PACKAGES: [Package; 2] = [
    Package {
        name: "tailcast",
        pack: "npm pack /path/to/tailcast/dist/npm",
        install: "npm install ./tailcast-0.1.0.tgz",
    },
    Package {
        name: "webpubsub-client",
        pack: "npm pack /path/to/tailcast/dist/client-js",
        install: "npm install ./webpubsub-client-0.1.0.tgz",
    },
];

/// Returns all commands that these tests run.
pub fn commands() -> impl Iterator<Item = &'static str> {
    let packages = PACKAGES.iter().flat_map(|package| [package.pack, package.install]);
    [COPY, EXAMPLE].into_iter().chain(packages)
}

#[tokio::test]
async fn the_documented_copy_installs_the_program() -> anyhow::Result<()> {
    for step in occurrences(COPY)? {
        let sandbox = Sandbox::new()?;
        fs::remove_file(sandbox.file("bin/tailcast"))?;
        assert_eq!(sandbox.run(&step).await?.code, Some(0));
        let version = Step { command: "command -v tailcast && tailcast --version".to_owned(), ..step };
        let ended = sandbox.run(&version).await?;
        let (path, version) = ended.stdout.split_once('\n').unwrap_or_default();
        assert_eq!(path, sandbox.file("home/.cargo/bin/tailcast").to_string_lossy());
        assert_eq!(version.trim(), concat!("tailcast ", env!("CARGO_PKG_VERSION")));
    }
    Ok(())
}

#[tokio::test]
async fn the_documented_npm_commands_install_the_packages() -> anyhow::Result<()> {
    let dist = environment::dist()?.display().to_string();
    for package in &PACKAGES {
        let mut sandbox = Sandbox::new()?;
        sandbox.replace("/path/to/tailcast/dist", &dist);
        // The packages have no dependencies, so no registry is needed.
        sandbox.set("npm_config_offline", "true");
        sandbox.set("npm_config_audit", "false");
        for command in [package.pack, package.install] {
            for step in occurrences(command)? {
                let ended = sandbox.run(&step).await?;
                assert_eq!(ended.code, Some(0), "{command}: {}", ended.stderr);
            }
        }
        let installed = sandbox.file("node_modules").join(package.name).join("package.json");
        assert!(installed.is_file(), "{}", package.install);
    }
    Ok(())
}

#[tokio::test]
async fn the_documented_example_sends_every_text_to_the_other_group() -> anyhow::Result<()> {
    let manifest = fs::read_to_string(root().join("crates/client/Cargo.toml"))?;
    assert!(manifest.contains("[[example]]\nname = \"echo\"\nrequired-features = [\"native\"]"));
    for step in occurrences(EXAMPLE)? {
        let sandbox = Sandbox::new()?;
        // cargo has compiled the example with this test.
        let example = env!("CARGO_BIN_EXE_echo-example");
        sandbox.add_program(
            "cargo",
            &format!("while [ \"$1\" != -- ]; do shift; done; shift; exec {example} \"$@\""),
        )?;
        let server = Server::start_on(sandbox.address(), &[]).await?;
        let mut echo = sandbox.shell(&Step { command: format!("exec {}", step.command), ..step })?.spawn()?;
        let url = negotiated_url(&server.url("/negotiate?group=from&group=to")).await?;
        let mut client = Socket::open(&url, &[JSON]).await?;
        client.json().await?;
        client.ask(r#"{"type":"joinGroup","group":"to","ackId":1}"#).await?;
        // The example joins its groups some time after its start, so the text is repeated until it has.
        let text = r#"{"type":"sendToGroup","group":"from","dataType":"text","data":"hello"}"#;
        let echoed = async {
            loop {
                client.send(text).await?;
                if client.ask(r#"{"type":"ping"}"#).await?.get("type") == Some(&"message".into()) {
                    return anyhow::Ok(());
                }
            }
        };
        with_timeout("the text in the other group", echoed).await?;
        echo.kill().await?;
    }
    Ok(())
}
