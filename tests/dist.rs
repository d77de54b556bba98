//! Output of `cargo xtask dist`.

use std::{fs, path::Path};

use anyhow::Context;
use tailcast_tests::{
    command::run,
    environment::{dist, site},
    hosted::HostedPage,
};

/// Returns the names of the files in a directory, without compressed ones.
fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = folder.read_dir().with_context(|| folder.display().to_string())?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter(|name| !name.ends_with(".br") && !name.ends_with(".gz")).collect();
    names.sort();
    Ok(names)
}

#[test]
fn the_static_page_has_the_servers_files_and_a_configuration_file() -> anyhow::Result<()> {
    let (hosted, served) = (names(&dist()?.join("site"))?, names(&site()?)?);
    let more: Vec<&String> = hosted.iter().filter(|name| !served.contains(name)).collect();
    assert_eq!(more, ["_headers", "config.json"]);
    assert_eq!(hosted.len(), served.len() + more.len());
    Ok(())
}

#[test]
fn compressed_files_match_and_the_configuration_is_not_compressed() -> anyhow::Result<()> {
    let folder = dist()?.join("site");
    for name in names(&folder)? {
        let packed = folder.join(format!("{name}.gz"));
        if packed.exists() {
            let unpacked = std::process::Command::new("gzip").arg("-dc").arg(&packed).output()?;
            assert!(unpacked.stdout == fs::read(folder.join(&name))?, "{} is another file", packed.display());
        }
    }
    // A compressed copy would not follow changes of the configuration file.
    assert!(!folder.join("config.json.gz").exists() && !folder.join("config.json.br").exists());
    // Files that differ between the directories have different compressed versions.
    for name in ["index.html.br", "service_worker.js.br"] {
        assert_ne!(fs::read(folder.join(name))?, fs::read(site()?.join(name))?, "{name}");
    }
    Ok(())
}

#[test]
fn the_headers_file_lists_every_immutable_file() -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let rules = fs::read_to_string(page.folder().join("_headers"))?;
    for ending in [".wasm", ".css", ".js", ".svg"] {
        let rule = format!("/{}\n  Cache-Control: public, max-age=31536000, immutable\n", page.name(ending)?);
        assert!(ending == ".js" || rules.contains(&rule), "{rules}");
    }
    assert!(!rules.contains("service_worker") && !rules.contains("index.html"), "{rules}");
    Ok(())
}

#[tokio::test]
async fn the_archive_contains_a_working_program_and_its_documentation() -> anyhow::Result<()> {
    let bin = dist()?.join("bin");
    for name in ["tailcast", "man/tailcast.1", "completions/_tailcast"] {
        assert!(bin.join(name).is_file(), "{name}");
    }
    let archive = fs::read_dir(&bin)?.find_map(|entry| {
        let path = entry.ok()?.path();
        path.to_str()?.ends_with(".tar.gz").then_some(path)
    });
    let archive = archive.context("no archive")?;
    let folder = std::env::temp_dir().join(format!("tailcast-archive-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let arguments = ["-xzf".as_ref(), archive.as_os_str(), "-C".as_ref(), folder.as_os_str()];
    let unpacked = run("tar".as_ref(), &arguments, b"").await?;
    assert_eq!(unpacked.code, Some(0), "{}", unpacked.stderr);
    let name =
        archive.file_name().and_then(|name| name.to_str()?.strip_suffix(".tar.gz")).context("no name")?;
    let inside = folder.join(name);
    for name in
        ["README.md", "LICENSE-MIT", "deploy/tailcast.service", "site/index.html", "man/tailcast-serve.1"]
    {
        assert!(inside.join(name).is_file(), "{name}");
    }
    let version = run(&inside.join("tailcast"), &["--version"], b"").await?;
    assert_eq!(version.stdout.trim(), format!("tailcast {}", env!("CARGO_PKG_VERSION")));
    Ok(fs::remove_dir_all(&folder)?)
}
