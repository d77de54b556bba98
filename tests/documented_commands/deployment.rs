//! Commands in the recipes of `deploy/`, which install them on a server. They run for real in the folders of a sandbox, with
//! recorders in place of programs that change the system.

use std::fs;

use anyhow::Context;
use tailcast_tests::environment;

use crate::{
    documents::{occurrences, root},
    sandbox::Sandbox,
};

/// Command of a recipe.
pub struct Deployment {
    /// Command of the documents.
    pub command: &'static str,
    effect: Effect,
}

/// Effect of a command.
enum Effect {
    /// A program that changes the system gets these arguments.
    Call(&'static [&'static str]),
    /// A file of the checkout exists at another path.
    File { from: &'static str, to: &'static str },
    /// As [`Self::File`]; then a program gets these arguments.
    FileAndCall { from: &'static str, to: &'static str, call: &'static [&'static str] },
}

/// Folders of a Debian system with nginx, Caddy and systemd.
const FOLDERS: [&str; 5] = [
    "etc/nginx/sites-available",
    "etc/nginx/sites-enabled",
    "etc/caddy",
    "etc/systemd/system",
    "usr/local/bin",
];

/// Programs that change the system.
const RECORDERS: [&str; 4] = ["apt-get", "nginx", "podman", "systemctl"];

const NGINX_SITE: &str = "etc/nginx/sites-available/tailcast";
const NGINX_PROXY: &str = "etc/nginx/sites-available/tailcast-proxy";

/// Commands of the recipes.
pub const DEPLOYMENTS: [Deployment; 15] = [
    Deployment { command: "apt-get install caddy", effect: Effect::Call(&["apt-get", "install", "caddy"]) },
    Deployment {
        command: "install -m 644 deploy/Caddyfile /etc/caddy/Caddyfile && systemctl reload caddy",
        effect: Effect::FileAndCall {
            from: "deploy/Caddyfile",
            to: "etc/caddy/Caddyfile",
            call: &["systemctl", "reload", "caddy"],
        },
    },
    Deployment {
        command: "mkdir -p /var/www/tailcast && cp -r dist/site/. /var/www/tailcast/",
        effect: Effect::File { from: "dist/site/config.json", to: "var/www/tailcast/config.json" },
    },
    Deployment {
        command: "podman build --file deploy/Containerfile --tag tailcast .",
        effect: Effect::Call(&[
            "podman",
            "build",
            "--file",
            "deploy/Containerfile",
            "--tag",
            "tailcast",
            ".",
        ]),
    },
    Deployment {
        command: "podman run --rm --read-only --cap-drop all --publish 8080:8080 --env TAILCAST_ACCESS_KEY \
                  --env TAILCAST_PUBLISH_KEY tailcast",
        effect: Effect::Call(&[
            "podman",
            "run",
            "--rm",
            "--read-only",
            "--cap-drop",
            "all",
            "--publish",
            "8080:8080",
            "--env",
            "TAILCAST_ACCESS_KEY",
            "--env",
            "TAILCAST_PUBLISH_KEY",
            "tailcast",
        ]),
    },
    Deployment { command: "apt-get install nginx", effect: Effect::Call(&["apt-get", "install", "nginx"]) },
    Deployment {
        command: "apt-get install nginx libnginx-mod-http-brotli-static",
        effect: Effect::Call(&["apt-get", "install", "nginx", "libnginx-mod-http-brotli-static"]),
    },
    Deployment {
        command: "install -m 644 deploy/nginx-site.conf /etc/nginx/sites-available/tailcast",
        effect: Effect::File { from: "deploy/nginx-site.conf", to: NGINX_SITE },
    },
    Deployment {
        command: "ln -s ../sites-available/tailcast /etc/nginx/sites-enabled/ && nginx -s reload",
        effect: Effect::FileAndCall {
            from: NGINX_SITE,
            to: "etc/nginx/sites-enabled/tailcast",
            call: &["nginx", "-s", "reload"],
        },
    },
    Deployment {
        command: "install -m 644 deploy/nginx-proxy.conf /etc/nginx/sites-available/tailcast-proxy",
        effect: Effect::File { from: "deploy/nginx-proxy.conf", to: NGINX_PROXY },
    },
    Deployment {
        command: "ln -s ../sites-available/tailcast-proxy /etc/nginx/sites-enabled/ && nginx -s reload",
        effect: Effect::FileAndCall {
            from: NGINX_PROXY,
            to: "etc/nginx/sites-enabled/tailcast-proxy",
            call: &["nginx", "-s", "reload"],
        },
    },
    Deployment {
        command: "install -m 755 target/release/tailcast /usr/local/bin/tailcast",
        effect: Effect::File { from: "target/release/tailcast", to: "usr/local/bin/tailcast" },
    },
    Deployment {
        command: "install -D -m 600 deploy/tailcast.env /etc/tailcast/tailcast.env",
        effect: Effect::File { from: "deploy/tailcast.env", to: "etc/tailcast/tailcast.env" },
    },
    Deployment {
        command: "install -m 644 deploy/tailcast.service /etc/systemd/system/",
        effect: Effect::File { from: "deploy/tailcast.service", to: "etc/systemd/system/tailcast.service" },
    },
    Deployment {
        command: "systemctl enable --now tailcast",
        effect: Effect::Call(&["systemctl", "enable", "--now", "tailcast"]),
    },
];

#[tokio::test]
async fn the_commands_of_the_recipes_install_their_files() -> anyhow::Result<()> {
    for deployment in &DEPLOYMENTS {
        for step in occurrences(deployment.command)? {
            let sandbox = server()?;
            let ended = sandbox.run(&step).await?;
            assert_eq!(ended.code, Some(0), "{}: {}", deployment.command, ended.stderr);
            deployment.effect.check(&sandbox).context(deployment.command)?;
        }
    }
    Ok(())
}

/// Creates a server with the checkout as the working folder.
fn server() -> anyhow::Result<Sandbox> {
    let mut sandbox = Sandbox::new()?;
    for folder in FOLDERS {
        fs::create_dir_all(sandbox.file(folder))?;
    }
    for name in RECORDERS {
        sandbox.add_recorder(&format!("bin/{name}"))?;
    }
    std::os::unix::fs::symlink(root().join("deploy"), sandbox.file("deploy"))?;
    std::os::unix::fs::symlink(environment::dist()?, sandbox.file("dist"))?;
    // Results of recipe commands that other commands use.
    for (from, to) in [("nginx-site.conf", NGINX_SITE), ("nginx-proxy.conf", NGINX_PROXY)] {
        fs::copy(root().join("deploy").join(from), sandbox.file(to))?;
    }
    for system in [" /etc/", " /var/", " /usr/"] {
        let own = format!(" {}{}", sandbox.file("").display(), &system.trim_start_matches(" /"));
        sandbox.replace(system, &own);
    }
    Ok(sandbox)
}

impl Effect {
    fn check(&self, sandbox: &Sandbox) -> anyhow::Result<()> {
        let (file, call) = match *self {
            Self::Call(call) => (None, Some(call)),
            Self::File { from, to } => (Some((from, to)), None),
            Self::FileAndCall { from, to, call } => (Some((from, to)), Some(call)),
        };
        if let Some((from, to)) = file {
            let installed = fs::read(sandbox.file(to)).context(to)?;
            anyhow::ensure!(installed == fs::read(sandbox.file(from))?, "{to} differs from {from}");
        }
        let calls: Vec<&[&str]> = call.into_iter().collect();
        anyhow::ensure!(sandbox.recorded() == calls, "{:?}", sandbox.recorded());
        Ok(())
    }
}
