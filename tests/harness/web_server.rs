//! nginx and Caddy, configured by the recipes of `deploy/`.

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

use crate::{command::command, environment, with_timeout};

/// Web server with a recipe. Stops when dropped.
pub struct WebServer {
    _child: Child,
    folder: PathBuf,
    address: String,
}

/// Replacement of a text in a recipe.
#[derive(Debug, Clone, Copy)]
pub struct Replacement<'a> {
    /// Text of the recipe.
    pub from: &'a str,
    /// Text of the test.
    pub to: &'a str,
}

impl WebServer {
    /// Starts nginx with a site of `deploy/` that listens on `address`.
    ///
    /// # Errors
    /// Fails if the recipe does not contain a text to replace, or nginx does not start.
    pub async fn nginx(
        address: &str,
        recipe: &str,
        replacements: &[Replacement<'_>],
    ) -> anyhow::Result<Self> {
        let home = environment::web_servers()?;
        let folder = new_folder()?;
        fs::write(folder.join("site.conf"), apply_replacements(recipe, replacements)?)?;
        fs::write(folder.join("nginx.conf"), nginx_configuration(&home))?;
        let mut command = command(&home.join("usr/sbin/nginx"));
        command.arg("-p").arg(&folder).args(["-c", "nginx.conf", "-e", "stderr"]);
        // nginx logs this message after it has bound its port.
        Self::start(command, "event method", folder, address).await
    }

    /// Starts Caddy with a file of `deploy/` that listens on `address`.
    ///
    /// # Errors
    /// Fails if the recipe does not contain a text to replace, or Caddy does not start.
    pub async fn caddy(
        address: &str,
        recipe: &str,
        replacements: &[Replacement<'_>],
    ) -> anyhow::Result<Self> {
        let folder = new_folder()?;
        let configuration = folder.join("Caddyfile");
        let settings = "{\n\tadmin off\n}\n";
        fs::write(&configuration, settings.to_owned() + &apply_replacements(recipe, replacements)?)?;
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
        with_timeout("start of a web server", async {
            let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
            let mut lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
            let mut output = String::new();
            while let Some(line) = lines.next_line().await? {
                if line.contains(ready) {
                    // Drains the output, so that the pipe does not fill up.
                    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                    return Ok(Self { _child: child, folder, address: address.to_owned() });
                }
                output.push_str(&line);
                output.push('\n');
            }
            anyhow::bail!("the web server exited: {output}")
        })
        .await
    }

    /// Returns host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the URL of `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        // A directory that cannot be removed stays among the system's temporary files.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// Returns the main configuration, similar to Debian's: one process, with all files in its own directory.
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

fn apply_replacements(recipe: &str, replacements: &[Replacement<'_>]) -> anyhow::Result<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(recipe);
    let mut text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    for replacement in replacements {
        anyhow::ensure!(text.contains(replacement.from), "{recipe} does not contain `{}`", replacement.from);
        text = text.replace(replacement.from, replacement.to);
    }
    Ok(text)
}

/// Returns an address with a free port. The web servers do not report a port that they select themselves.
///
/// # Errors
/// Fails if no port is free.
pub fn free_address() -> anyhow::Result<String> {
    Ok(format!("127.0.0.1:{}", free_port()?))
}

/// Returns a free port of the loopback interface.
///
/// # Errors
/// Fails if no port is free.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("no free port")?.local_addr()?.port())
}

fn new_folder() -> anyhow::Result<PathBuf> {
    static FOLDERS: AtomicU32 = AtomicU32::new(0);
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("tailcast-web-server-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
