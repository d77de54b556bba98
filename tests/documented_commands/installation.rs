//! Documented commands that install the program, the packages and the example.

use std::fs;

use tailcast_tests::{
    command::run,
    environment,
    server::{Server, negotiated_url},
    socket::{JSON, Socket},
    streamer::Streamer,
    web_server::free_port,
    with_timeout,
};

use crate::{
    documents::{Step, occurrences, root},
    piped::{interrupt, kept_lines},
    sandbox::Sandbox,
};

/// Installs the program.
const COPY: &str = "cp target/release/tailcast ~/.cargo/bin/";
/// Runs the example of the Rust client.
const EXAMPLE: &str = "cargo run -p webpubsub-client --features native --example echo -- \
                       'http://127.0.0.1:8080/negotiate?group=from&group=to' from to";

/// Commands that check and install the files of a release.
const FROM_RELEASE: [&str; 5] = [
    "sha256sum --check --ignore-missing SHA256SUMS",
    "tar -xzf tailcast-0.1.0-x86_64-linux.tar.gz",
    "install -D tailcast-0.1.0-x86_64-linux/tailcast ~/.local/bin/tailcast",
    "pip install ./tailcast-0.1.0-*.whl",
    "npm install --global --omit=optional ./tailcast-0.1.0.tgz ./tailcast-linux-x64-0.1.0.tgz",
];
/// Programs that the commands of [`FROM_RELEASE`] install.
const INSTALLED: [&str; 3] = ["home/.local/bin/tailcast", "venv/bin/tailcast", "npm/bin/tailcast"];
/// Commands that run the program of the files.
const WITHOUT_INSTALLATION: [&str; 2] = [
    "some-command | uvx --from ./tailcast-0.1.0-*.whl tailcast",
    "some-command | npx --yes --omit=optional --package ./tailcast-0.1.0.tgz --package ./tailcast-linux-x64-0.1.0.tgz tailcast",
];

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
        install: "npm install --omit=optional ./tailcast-0.1.0.tgz",
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
    [COPY, EXAMPLE].into_iter().chain(packages).chain(FROM_RELEASE).chain(WITHOUT_INSTALLATION)
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

/// Creates a sandbox with the files of a release, and with installers that use no registry.
async fn release() -> anyhow::Result<Sandbox> {
    let mut sandbox = Sandbox::new()?;
    let (dist, python) = (environment::dist()?, environment::python()?);
    let npm_prefix = sandbox.file("npm").display().to_string();
    for (name, value) in [
        ("npm_config_offline", "true"),
        ("npm_config_prefix", &npm_prefix),
        ("UV_OFFLINE", "1"),
        ("PIP_NO_INDEX", "1"),
    ] {
        sandbox.set(name, value);
    }
    let script = format!(
        "set -e
         cp {dist}/bin/*.tar.gz {dist}/wheel/*.whl .
         npm pack --silent {dist}/npm {dist}/npm-linux-x64
         sha256sum -- *.tar.gz *.whl *.tgz > SHA256SUMS
         {python} -m venv --without-pip venv",
        dist = dist.display(),
        python = python.display()
    );
    let step = Step { place: "the test".to_owned(), exports: Vec::new(), command: script };
    let ended = sandbox.run(&step).await?;
    anyhow::ensure!(ended.code == Some(0), "{ended:?}");
    let pip = format!("exec {} -m pip --python {} \"$@\"", python.display(), sandbox.file("venv").display());
    sandbox.add_program("pip", &pip)?;
    let uvx = format!("exec {} --python {} \"$@\"", python.with_file_name("uvx").display(), python.display());
    sandbox.add_program("uvx", &uvx)?;
    Ok(sandbox)
}

#[tokio::test]
async fn the_documented_commands_install_the_files_of_a_release() -> anyhow::Result<()> {
    let sandbox = release().await?;
    for command in FROM_RELEASE {
        for step in occurrences(command)? {
            let ended = sandbox.run(&step).await?;
            assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
        }
    }
    for program in INSTALLED {
        let ended = run(&sandbox.file(program), &["--version"], b"").await?;
        assert_eq!(
            ended.stdout.trim(),
            concat!("tailcast ", env!("CARGO_PKG_VERSION")),
            "{program}: {ended:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_documented_commands_run_the_files_of_a_release() -> anyhow::Result<()> {
    let sandbox = release().await?;
    for command in WITHOUT_INSTALLATION {
        for step in occurrences(command)? {
            let command = format!("{} --port {}", step.command, free_port()?);
            let mut shell = sandbox.shell(&Step { command, ..step })?;
            // The shell and the commands of the pipeline, which Ctrl-C would end together.
            shell.process_group(0);
            let mut running = Streamer::start_command(shell)?;
            let group = running.process_id()?;
            let address = running.page_address().await?;
            running.wait_for_stderr("until Ctrl-C").await?;
            let lines = kept_lines(&sandbox, &address).await;
            interrupt(group).await?;
            assert_eq!(lines?, "a line of some-command\n");
            running.wait_for_exit().await?;
        }
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
