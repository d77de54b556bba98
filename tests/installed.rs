//! Installation from the files of a release: Python wheel and npm packages, in empty folders and without Rust.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tailcast_tests::{
    browser::Browser,
    command::{Ended, command, run_to_end},
    environment::{dist, python},
    process::Process,
    server::{get, signal},
    streamer::Streamer,
    web_server::free_port,
};
use tokio::process::Command;

/// Programs of a machine without Rust.
const PROGRAMS: [&str; 5] = ["env", "node", "npm", "npx", "sh"];

/// Empty folder of a user, on whose `PATH` are only the [`PROGRAMS`]. Removed when dropped.
struct Home(PathBuf);

impl Home {
    fn new(test: &str) -> anyhow::Result<Self> {
        let home =
            Self(std::env::temp_dir().join(format!("tailcast-installed-{test}-{}", std::process::id())));
        fs::create_dir_all(home.file("bin"))?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        for name in PROGRAMS {
            let found =
                std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
            symlink(found.with_context(|| format!("no {name}"))?, home.file("bin").join(name))?;
        }
        Ok(home)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = command(program.as_ref());
        command.current_dir(&self.0).env("PATH", self.file("bin")).env("HOME", &self.0);
        // No registry is needed, and none would have the packages.
        for (name, value) in
            [("npm_config_offline", "true"), ("npm_config_audit", "false"), ("PIP_NO_INDEX", "1")]
        {
            command.env(name, value);
        }
        command.env("UV_OFFLINE", "1").env("UV_PYTHON_DOWNLOADS", "never");
        command
    }

    async fn run(&self, program: impl AsRef<Path>, arguments: &[impl AsRef<OsStr>]) -> anyhow::Result<Ended> {
        let mut command = self.command(program);
        command.args(arguments);
        let ended = run_to_end(command, b"").await?;
        anyhow::ensure!(ended.code == Some(0), "{ended:?}");
        Ok(ended)
    }

    /// Packs the npm packages of this platform as a release does. Returns their archives.
    async fn npm_archives(&self) -> anyhow::Result<[String; 2]> {
        let folders = fs::read_dir(dist()?)?.filter_map(|entry| Some(entry.ok()?.path()));
        let mut folders = folders
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("npm-")));
        let program = folders.next().context("no npm package with the program")?;
        let mut archives = [String::new(), String::new()];
        for (archive, folder) in archives.iter_mut().zip([dist()?.join("npm"), program]) {
            let packed = self.run("npm", &["pack".as_ref(), "--silent".as_ref(), folder.as_os_str()]).await?;
            *archive = format!("./{}", packed.stdout.trim());
        }
        Ok(archives)
    }

    /// Installs the npm packages. Returns the path of the command.
    async fn install_npm_packages(&self) -> anyhow::Result<PathBuf> {
        let [element, program] = self.npm_archives().await?;
        self.run("npm", &["install", "--omit=optional", &element, &program]).await?;
        Ok(self.file("node_modules/.bin/tailcast"))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // A folder that cannot be removed stays among the system's temporary files.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

/// Returns the wheel of this platform.
fn wheel() -> anyhow::Result<PathBuf> {
    let mut files = fs::read_dir(dist()?.join("wheel"))?.filter_map(|entry| Some(entry.ok()?.path()));
    files.next().context("no wheel")
}

/// Runs `seq 1 1000 | COMMAND`, and opens a browser afterwards, which shows all lines.
async fn shows_piped_lines(mut command: Command) -> anyhow::Result<()> {
    command.args(["--port", &free_port()?.to_string()]).process_group(0);
    let mut piped = Streamer::start_command(command)?;
    piped.write(&(1..=1000).map(|number| format!("{number}\n")).collect::<String>()).await?;
    piped.end_input();
    let address = piped.page_address().await?;
    piped.wait_for_stderr("tailcast: 1000 lines sent").await?;
    let browser = Browser::start().await?;
    browser.open(&format!("http://{address}/")).await?;
    browser.until("document.querySelector('#line-count')?.dataset.received === '1000'").await?;
    browser
        .until("[...document.querySelectorAll('#log .text')].some((row) => row.textContent === '1000')")
        .await?;
    browser.close().await?;
    // Ctrl-C in a terminal reaches all processes in its foreground.
    let group = format!("-{}", piped.process_id()?);
    let killed = run_to_end(kill_group(&group), b"").await?;
    assert_eq!(killed.code, Some(0), "{}", killed.stderr);
    piped.wait_for_exit().await?;
    assert!(get(&format!("http://{address}/healthz")).await.is_err(), "the server still runs");
    Ok(())
}

fn kill_group(group: &str) -> Command {
    let mut kill = command(Path::new("kill"));
    kill.args(["-INT", "--", group]);
    kill
}

#[tokio::test]
async fn a_wheel_that_pip_installs_runs() -> anyhow::Result<()> {
    let home = Home::new("pip")?;
    home.run(python()?, &["-m", "venv", "venv"]).await?;
    let wheel = wheel()?;
    let arguments = ["install".as_ref(), "--disable-pip-version-check".as_ref(), wheel.as_os_str()];
    home.run(home.file("venv/bin/pip"), &arguments).await?;
    shows_piped_lines(home.command(home.file("venv/bin/tailcast"))).await
}

#[tokio::test]
async fn uvx_runs_the_wheel() -> anyhow::Result<()> {
    let home = Home::new("uvx")?;
    let mut uvx = home.command(python()?.with_file_name("uvx"));
    uvx.arg("--python").arg(python()?).arg("--from").arg(wheel()?).arg("tailcast");
    shows_piped_lines(uvx).await
}

#[tokio::test]
async fn the_record_of_the_wheel_has_the_hash_of_each_file() -> anyhow::Result<()> {
    const CHECK: &str = "
import base64, csv, hashlib, io, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
assert wheel.testzip() is None
[record] = [name for name in wheel.namelist() if name.endswith('.dist-info/RECORD')]
rows = list(csv.reader(io.StringIO(wheel.read(record).decode())))
assert [row[0] for row in rows] == wheel.namelist(), rows
for name, expected, size in rows[:-1]:
    content = wheel.read(name)
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()
    assert (expected, size) == (f'sha256={digest}', str(len(content))), name
[script] = [info for info in wheel.infolist() if '.data/scripts/' in info.filename]
print(oct(script.external_attr >> 16))
";
    let home = Home::new("record")?;
    let ended = home.run(python()?, &["-c".as_ref(), CHECK.as_ref(), wheel()?.as_os_str()]).await?;
    assert_eq!(ended.stdout.trim(), "0o100755");
    Ok(())
}

#[tokio::test]
async fn npm_packages_in_an_empty_folder_run_and_the_element_can_be_imported() -> anyhow::Result<()> {
    let home = Home::new("npm")?;
    let program = home.install_npm_packages().await?;
    home.run("node", &["--input-type=module", "--eval", "import 'tailcast'"]).await?;
    shows_piped_lines(home.command(program)).await
}

#[tokio::test]
async fn npx_runs_the_packages() -> anyhow::Result<()> {
    let home = Home::new("npx")?;
    let [element, program] = home.npm_archives().await?;
    let mut npx = home.command("npx");
    npx.args(["--yes", "--package", &element, "--package", &program, "--", "tailcast", "--version"]);
    let ended = run_to_end(npx, b"").await?;
    assert_eq!(ended.stdout.trim(), concat!("tailcast ", env!("CARGO_PKG_VERSION")), "{ended:?}");
    let mut npx = home.command("npx");
    npx.args(["--yes", "--package", &element, "--package", &program, "--", "tailcast"]);
    shows_piped_lines(npx).await
}

#[tokio::test]
async fn the_command_of_npm_passes_on_exit_codes_and_signals() -> anyhow::Result<()> {
    let home = Home::new("launcher")?;
    let program = home.install_npm_packages().await?;
    for (arguments, code) in [
        (&["--version"][..], 0),
        (&["watch", "--server", "http://127.0.0.1:9", "--give-up-after", "0"], 1),
        (&["--unknown"], 2),
    ] {
        let mut command = home.command(&program);
        command.args(arguments);
        assert_eq!(run_to_end(command, b"").await?.code, Some(code), "{arguments:?}");
    }
    for name in ["TERM", "INT", "KILL"] {
        let mut command = home.command(&program);
        command.args(["--port", &free_port()?.to_string()]);
        let mut started = Streamer::start_command(command)?;
        started.page_address().await?;
        let launcher = started.process_id()?;
        let child = Process(launcher).child()?;
        if name == "KILL" {
            // The program ends by a signal, and the command in the same way.
            signal(child.0, name).await?;
            assert_eq!(started.wait_for_exit().await?.0, None);
        } else {
            started.signal(name).await?;
            assert_eq!(started.wait_for_exit().await?.0, Some(0), "{name}");
        }
        assert!(!Path::new(&format!("/proc/{}", child.0)).exists(), "the program still runs after {name}");
    }
    Ok(())
}

#[tokio::test]
async fn without_the_package_of_the_platform_npm_names_it() -> anyhow::Result<()> {
    let home = Home::new("platform")?;
    let [element, _] = home.npm_archives().await?;
    home.run("npm", &["install", "--omit=optional", &element]).await?;
    let ended = run_to_end(home.command(home.file("node_modules/.bin/tailcast")), b"").await?;
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("the package @tailcast/") && ended.stderr.contains("is missing"),
        "{ended:?}"
    );
    Ok(())
}

/// Program header of ELF that names the dynamic loader.
const PT_INTERP: u32 = 3;

#[test]
fn the_program_of_linux_needs_no_library_of_the_machine() -> anyhow::Result<()> {
    let program = fs::read(dist()?.join("bin/tailcast"))?;
    // ELF of 64 bits: offset, size and count of the program headers.
    let number = |at: usize, length: usize| {
        let bytes = program.get(at..at + length).context("the file is too short")?;
        anyhow::Ok(bytes.iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)))
    };
    anyhow::ensure!(program.starts_with(b"\x7fELF\x02\x01"), "not an ELF of 64 bits");
    let (offset, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for index in 0..count {
        assert_ne!(
            number(offset + index * size, 4)?,
            PT_INTERP as usize,
            "the program is linked dynamically"
        );
    }
    Ok(())
}
