//! nginx and Caddy, set by the recipes of `deploy/`.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{command::command, environment, in_time};

/// A server that runs a recipe. Ends when dropped.
pub struct WebServer {
    _child: Child,
    folder: PathBuf,
    address: String,
}

/// What a recipe takes for granted, and what a test has in its place.
#[derive(Debug, Clone, Copy)]
pub struct Swap<'a> {
    /// What the recipe says.
    pub from: &'a str,
    /// What holds here.
    pub to: &'a str,
}

impl WebServer {
    /// nginx with a site of `deploy/` in its configuration, which has it listen on `address`.
    ///
    /// # Errors
    /// When the recipe does not say what is to be swapped, or nginx does not start with it.
    pub async fn nginx(address: &str, recipe: &str, swaps: &[Swap<'_>]) -> anyhow::Result<Self> {
        let home = environment::web_servers()?;
        let folder = new_folder()?;
        fs::write(folder.join("site.conf"), swapped(recipe, swaps)?)?;
        fs::write(folder.join("nginx.conf"), nginx_configuration(&home))?;
        let mut command = command(&home.join("usr/sbin/nginx"));
        command.arg("-p").arg(&folder).args(["-c", "nginx.conf", "-e", "stderr"]);
        // By then it listens.
        Self::start(command, "event method", folder, address).await
    }

    /// Caddy with a file of `deploy/`, which has it listen on `address`.
    ///
    /// # Errors
    /// When the recipe does not say what is to be swapped, or Caddy does not start with it.
    pub async fn caddy(address: &str, recipe: &str, swaps: &[Swap<'_>]) -> anyhow::Result<Self> {
        let folder = new_folder()?;
        let configuration = folder.join("Caddyfile");
        let settings = "{\n\tadmin off\n}\n";
        fs::write(&configuration, settings.to_owned() + &swapped(recipe, swaps)?)?;
        let mut command = command(&environment::web_servers()?.join("usr/bin/caddy"));
        command.arg("run").args(["--adapter", "caddyfile", "--config"]).arg(&configuration);
        command.env("XDG_DATA_HOME", &folder).env("XDG_CONFIG_HOME", &folder);
        Self::start(command, "serving initial configuration", folder, address).await
    }

    async fn start(
        mut command: Command,
        ready: &str,
        folder: PathBuf,
        address: &str,
    ) -> anyhow::Result<Self> {
        in_time("start of a web server", async {
            let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
            let mut lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
            let mut said = String::new();
            while let Some(line) = lines.next_line().await? {
                if line.contains(ready) {
                    // It goes on talking; the pipe must not fill up.
                    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                    return Ok(Self { _child: child, folder, address: address.to_owned() });
                }
                said.push_str(&line);
                said.push('\n');
            }
            anyhow::bail!("it ended: {said}")
        })
        .await
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The URL of `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        // What is left lies among the system's temporary files.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// What surrounds a site in Debian's own configuration; one process, with all that it writes in its folder.
fn nginx_configuration(home: &Path) -> String {
    let home = home.display();
    format!(
        "daemon off;
         master_process off;
         pid nginx.pid;
         error_log stderr notice;
         load_module {home}/usr/lib/nginx/modules/ngx_http_brotli_static_module.so;
         events {{ worker_connections 128; }}
         http {{
             include {home}/etc/nginx/mime.types;
             default_type application/octet-stream;
             access_log off;
             client_body_temp_path body;
             proxy_temp_path proxy;
             fastcgi_temp_path fastcgi;
             uwsgi_temp_path uwsgi;
             scgi_temp_path scgi;
             include site.conf;
         }}\n"
    )
}

fn swapped(recipe: &str, swaps: &[Swap<'_>]) -> anyhow::Result<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(recipe);
    let mut text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    for swap in swaps {
        anyhow::ensure!(text.contains(swap.from), "{recipe} does not say `{}`", swap.from);
        text = text.replace(swap.from, swap.to);
    }
    Ok(text)
}

/// A port that was free a moment ago: neither server tells which one it took.
///
/// # Errors
/// When none is.
pub fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0").context("no free port")?.local_addr()?.to_string())
}

fn new_folder() -> anyhow::Result<PathBuf> {
    static FOLDERS: AtomicU32 = AtomicU32::new(0);
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("tailcast-web-server-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
