//! `tailcast tail`: files that are rotated, as by logrotate, while they are written to.

#![allow(clippy::indexing_slicing, reason = "a missing line fails the test")]

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tailcast_tests::{
    command::{command, run_to_end},
    environment::tailcast,
    marked_lines::{MarkedLine, lines_of},
    server::Server,
    socket::Socket,
    streamer::Streamer,
};

/// Temporary directory of a test. Removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("tailcast-{test}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn append(path: &Path) -> anyhow::Result<File> {
    Ok(OpenOptions::new().append(true).create(true).open(path)?)
}

fn tail(server: &Server, files: &[&Path], lines: &str) -> anyhow::Result<Streamer> {
    let files = files.iter().map(|file| file.to_string_lossy().into_owned());
    let arguments: Vec<String> =
        ["--negotiate".to_owned(), server.negotiate_url(), "--lines".to_owned(), lines.to_owned()]
            .into_iter()
            .chain(files)
            .collect();
    Streamer::start_as("tail", &arguments)
}

async fn stopped(tail: Streamer) -> anyhow::Result<()> {
    tail.signal("TERM").await?;
    let (code, stderr) = tail.wait_for_exit().await?;
    anyhow::ensure!(code == Some(0), "{code:?}: {stderr}");
    Ok(())
}

/// Writes lines `FROM..TO`, in chunks that are not aligned to lines.
fn write_lines(file: &mut File, from: usize, to: usize) -> anyhow::Result<()> {
    let text: String = (from..to).map(|number| format!("line {number}\n")).collect();
    for piece in text.as_bytes().chunks(4099) {
        file.write_all(piece)?;
    }
    Ok(())
}

/// Subscriber that returns single lines.
struct Reader {
    subscriber: Socket,
    ahead: VecDeque<String>,
}

impl Reader {
    async fn of(server: &Server) -> anyhow::Result<Self> {
        Ok(Self { subscriber: server.subscribe().await?, ahead: VecDeque::new() })
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        if self.ahead.is_empty() {
            self.ahead.extend(self.subscriber.lines(1).await?);
        }
        self.ahead.pop_front().context("a message without a line")
    }

    /// Receives lines `FROM..TO`, and checks that each arrives once, in order.
    async fn receive(&mut self, from: usize, to: usize) -> anyhow::Result<()> {
        for number in from..to {
            let line = self.line().await.with_context(|| format!("line {number} is missing"))?;
            anyhow::ensure!(line == format!("line {number}"), "`{line}` came in place of line {number}");
        }
        Ok(())
    }
}

#[tokio::test]
async fn the_last_lines_are_published_first_and_then_appended_lines() -> anyhow::Result<()> {
    let (folder, server) = (Folder::new("last-lines")?, Server::start(&[]).await?);
    let mut reader = Reader::of(&server).await?;
    let path = folder.file("app.log");
    write_lines(&mut append(&path)?, 0, 1000)?;
    let tail = tail(&server, &[&path], "3")?;
    reader.receive(997, 1000).await?;
    write_lines(&mut append(&path)?, 1000, 1001)?;
    reader.receive(1000, 1001).await?;
    stopped(tail).await
}

#[tokio::test]
async fn no_line_is_lost_or_duplicated_across_a_rename() -> anyhow::Result<()> {
    const LINES: usize = 20_000;
    let (folder, server) = (Folder::new("rename")?, Server::start(&[]).await?);
    let mut reader = Reader::of(&server).await?;
    let path = folder.file("app.log");
    let mut file = append(&path)?;
    let tail = tail(&server, &[&path], "1000000")?;
    for round in 0..8 {
        let start = round * LINES;
        write_lines(&mut file, start, start + LINES / 2)?;
        // Waits until the new file is open. Real rotations are not that close together.
        reader.receive(start, start + 1).await?;
        fs::rename(&path, folder.file(&format!("app.log.{round}")))?;
        // The program still writes to the renamed file.
        write_lines(&mut file, start + LINES / 2, start + LINES)?;
        reader.receive(start + 1, start + LINES).await?;
        file = append(&path)?;
    }
    stopped(tail).await
}

#[tokio::test]
async fn no_line_is_lost_or_duplicated_across_copy_and_truncate() -> anyhow::Result<()> {
    const LINES: usize = 20_000;
    let (folder, server) = (Folder::new("copy")?, Server::start(&[]).await?);
    let mut reader = Reader::of(&server).await?;
    let path = folder.file("app.log");
    let mut file = append(&path)?;
    let tail = tail(&server, &[&path], "10")?;
    for round in 0..8 {
        let start = round * LINES;
        write_lines(&mut file, start, start + 10)?;
        reader.receive(start, start + 10).await?;
        // The rest can be read before or after the copy, or partially.
        write_lines(&mut file, start + 10, start + LINES)?;
        fs::copy(&path, folder.file("app.log.1"))?;
        file.set_len(0)?;
        reader.receive(start + 10, start + LINES).await?;
    }
    stopped(tail).await
}

#[tokio::test]
async fn several_files_are_sources_and_missing_files_are_awaited() -> anyhow::Result<()> {
    let (folder, server) = (Folder::new("several")?, Server::start(&[]).await?);
    let mut subscriber = server.subscribe().await?;
    let (app, db) = (folder.file("app.log"), folder.file("not-there-yet/db.log"));
    fs::write(&app, "first\n")?;
    let mut tail = tail(&server, &[&app, &db], "10")?;
    tail.wait_for_stderr("db.log does not exist; waiting until it is created").await?;
    assert_eq!(subscriber.marked_lines(1).await?, [MarkedLine::of("app.log", "first")]);
    fs::create_dir(folder.file("not-there-yet"))?;
    fs::write(&db, "one\ntwo\n")?;
    let lines = subscriber.marked_lines(2).await?;
    assert_eq!(lines, ["one", "two"].map(|text| MarkedLine::of("db.log", text)));
    append(&app)?.write_all(b"second\n")?;
    assert_eq!(subscriber.marked_lines(1).await?, [MarkedLine::of("app.log", "second")]);
    stopped(tail).await
}

#[tokio::test]
async fn an_unfinished_last_line_is_shown_and_not_lost_when_tail_is_stopped() -> anyhow::Result<()> {
    let (folder, server) = (Folder::new("unfinished")?, Server::start(&[]).await?);
    let mut subscriber = server.subscribe().await?;
    let path = folder.file("app.log");
    fs::write(&path, "whole\nunfini")?;
    let tail = tail(&server, &[&path], "10")?;
    assert_eq!(subscriber.message_text().await?, "whole");
    let unfinished = |text: &str| MarkedLine { is_unfinished: true, ..MarkedLine::of("", text) };
    assert_eq!(lines_of(&subscriber.message_text().await?), [unfinished("unfini")]);
    append(&path)?.write_all(b"shed")?;
    assert_eq!(lines_of(&subscriber.message_text().await?), [unfinished("unfinished")]);
    append(&path)?.write_all(b"\nlast")?;
    assert_eq!(subscriber.marked_lines(1).await?, [MarkedLine::of("", "unfinished")]);
    // The last line is sent at once, or at the end.
    stopped(tail).await?;
    assert_eq!(lines_of(&subscriber.message_text().await?)[0].text, "last");
    Ok(())
}

#[tokio::test]
async fn flags_of_other_programs_are_accepted_and_patterns_are_explained() -> anyhow::Result<()> {
    let (folder, server) = (Folder::new("flags")?, Server::start(&[]).await?);
    let mut subscriber = server.subscribe().await?;
    let path = folder.file("app.log");
    fs::write(&path, "one\ntwo\n")?;
    for flags in [&["-f", "-n", "1"][..], &["-F", "-n1"], &["-fn1"], &["--follow", "--lines=1"]] {
        let url = server.negotiate_url();
        let path = path.to_string_lossy();
        let arguments = [&["--negotiate", &url], flags, &[&*path]].concat();
        let tail = Streamer::start_as("tail", &arguments)?;
        assert_eq!(subscriber.lines(1).await?, ["two"], "{flags:?}");
        stopped(tail).await?;
    }
    let pattern = folder.file("*.txt");
    let mut tail = tail(&server, &[&pattern], "10")?;
    tail.wait_for_stderr("patterns are expanded by the shell").await?;
    stopped(tail).await
}

#[tokio::test]
async fn files_that_report_no_length_are_read_once() -> anyhow::Result<()> {
    let (folder, server) = (Folder::new("proc")?, Server::start(&[]).await?);
    let mut subscriber = server.subscribe().await?;
    let log = folder.file("app.log");
    fs::write(&log, "")?;
    let tail =
        tail(&server, &[Path::new("/proc/sys/kernel/ostype"), Path::new("/proc/loadavg"), &log], "10")?;
    let mut names: Vec<String> =
        subscriber.marked_lines(2).await?.into_iter().map(|line| line.source).collect();
    names.sort();
    assert_eq!(names, ["loadavg", "ostype"]);
    // Changes of another file have the files polled several times.
    for number in 0..5 {
        writeln!(append(&log)?, "{number}")?;
        assert_eq!(subscriber.marked_lines(1).await?, [MarkedLine::of("app.log", &number.to_string())]);
    }
    stopped(tail).await
}

#[tokio::test]
async fn encoded_files_become_text() -> anyhow::Result<()> {
    let (folder, server) = (Folder::new("encodings")?, Server::start(&[]).await?);
    let mut subscriber = server.subscribe().await?;
    let path = folder.file("app.log");
    let utf16 = "\u{feff}eins\r\nzwei ä\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    fs::write(&path, utf16)?;
    let utf16_tail = tail(&server, &[&path], "1")?;
    assert_eq!(subscriber.lines(1).await?, ["zwei ä\r"]);
    stopped(utf16_tail).await?;
    fs::write(&path, b"caf\xe9\n")?;
    let (url, path) = (server.negotiate_url(), path.to_string_lossy());
    let latin = Streamer::start_as("tail", &["--negotiate", &url, "--encoding", "latin1", &*path])?;
    assert_eq!(subscriber.lines(1).await?, ["café"]);
    stopped(latin).await
}

#[tokio::test]
async fn a_directory_is_refused_with_an_error() -> anyhow::Result<()> {
    let folder = Folder::new("nothing")?;
    let mut tail = command(&tailcast()?);
    tail.arg("tail").arg(&folder.0);
    let ended = run_to_end(tail, b"").await?;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("is not a regular file"), "{}", ended.stderr);
    Ok(())
}
