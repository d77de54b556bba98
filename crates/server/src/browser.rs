//! Opening the page in the browser of the user.

use std::process::Stdio;

use tokio::process::Command;

use crate::{secret, terminal::notice};

/// Opens a URL. A failure is only printed, since the user can open it, too.
pub(crate) fn open(program: &'static str, url: &str) {
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
        Ok(mut opening) => drop(tokio::spawn(async move {
            match opening.wait().await {
                Ok(status) if !status.success() => failed(status.to_string()),
                _ => {}
            }
        })),
        Err(error) => failed(error.to_string()),
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
