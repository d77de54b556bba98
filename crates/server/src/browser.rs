//! Opening the page in the browser of the user.

use std::process::Stdio;

use tokio::{process::Command, task::JoinHandle};

use crate::{secret, terminal::notice};

/// Browser that was asked to open a URL.
pub(crate) struct Opening(Option<JoinHandle<bool>>);

impl Opening {
    /// Waits until the browser cannot be opened. Never returns if it was.
    pub(crate) async fn failed(self) {
        let is_opened = match self.0 {
            Some(opening) => opening.await.unwrap_or_default(),
            None => false,
        };
        if is_opened {
            std::future::pending().await
        }
    }
}

/// Opens a URL. A failure is only printed, since the user can open it, too.
pub(crate) fn open(program: &'static str, url: &str) -> Opening {
    let failed = {
        let url = url.to_owned();
        move |reason: String| notice!("{program}: cannot open a browser ({reason}); open {url} yourself")
    };
    let mut command = opener();
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for variable in secret::VARIABLES {
        command.env_remove(variable);
    }
    // Ctrl-C in the terminal must not end the browser.
    #[cfg(unix)]
    command.process_group(0);
    match command.spawn() {
        Ok(mut opening) => Opening(Some(tokio::spawn(async move {
            match opening.wait().await {
                Ok(status) if !status.success() => {
                    failed(status.to_string());
                    false
                }
                _ => true,
            }
        }))),
        Err(error) => {
            failed(error.to_string());
            Opening(None)
        }
    }
}

/// Returns the command of the platform, without the URL.
fn opener() -> Command {
    if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else if cfg!(target_os = "macos") {
        Command::new("open")
    } else {
        Command::new("xdg-open")
    }
}
