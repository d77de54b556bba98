//! Static files of the page: embedded in the binary, and from a directory.

use std::{
    fs,
    os::unix::{fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
};

use anyhow::Context;
use reqwest::{Method, Response, header::HeaderMap};
use tailcast_tests::{
    browser::Browser,
    command::run,
    environment::{site, tailcast},
    server::{Server, http_client},
    with_timeout,
};

/// Starts a server with the embedded page, and one with the page from a directory.
async fn both() -> anyhow::Result<[Server; 2]> {
    let folder = site()?;
    let folder = folder.to_str().context("the path of the site is not UTF-8")?;
    Ok([Server::start(&[]).await?, Server::start(&["--site", folder]).await?])
}

/// Returns a file of the built page with a hash in its name and this ending.
fn hashed_file(ending: &str) -> anyhow::Result<PathBuf> {
    let mut files = std::fs::read_dir(site()?)?.filter_map(|entry| Some(entry.ok()?.path()));
    // Only the service worker has no hash.
    let is_it =
        |path: &PathBuf| path.to_string_lossy().ends_with(ending) && !path.ends_with("service_worker.js");
    files.find(is_it).with_context(|| format!("no {ending} in the page"))
}

fn url_of(server: &Server, file: &Path) -> String {
    server.url(&format!("/{}", file.file_name().unwrap_or_default().to_string_lossy()))
}

async fn ask(method: Method, url: &str, headers: &[(&str, &str)]) -> anyhow::Result<Response> {
    let mut request = http_client()?.request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(request.send().await?)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn the_page_is_compressed_as_the_client_accepts() -> anyhow::Result<()> {
    let wasm = hashed_file(".wasm")?;
    for server in both().await? {
        for (accepted, encoding) in [
            ("gzip, deflate, br, zstd", "br"),
            ("gzip", "gzip"),
            ("gzip;q=1.0, br;q=0.5", "gzip"),
            ("br;q=0, gzip;q=0.1", "gzip"),
            ("br;q=0", ""),
            ("identity", ""),
        ] {
            let answer = ask(Method::GET, &url_of(&server, &wasm), &[("accept-encoding", accepted)]).await?;
            assert_eq!(answer.status(), 200);
            let headers = answer.headers().clone();
            assert_eq!(header(&headers, "content-encoding"), encoding, "{accepted}");
            assert_eq!(header(&headers, "content-type"), "application/wasm");
            assert_eq!(header(&headers, "vary"), "accept-encoding");
            let ending = match encoding {
                "br" => ".br",
                "gzip" => ".gz",
                _ => "",
            };
            let packed = std::fs::read(format!("{}{ending}", wasm.display()))?;
            assert!(answer.bytes().await? == packed, "{accepted}: another file came");
        }
    }
    let (plain, brotli) =
        (std::fs::metadata(&wasm)?.len(), std::fs::metadata(format!("{}.br", wasm.display()))?.len());
    assert!(brotli * 2 < plain, "{brotli} of {plain} bytes");
    Ok(())
}

#[tokio::test]
async fn hashed_files_are_immutable_and_other_files_are_revalidated() -> anyhow::Result<()> {
    for server in both().await? {
        for file in [hashed_file(".wasm")?, hashed_file(".css")?, hashed_file(".js")?, hashed_file(".svg")?] {
            let answer = ask(Method::GET, &url_of(&server, &file), &[]).await?;
            let cache = header(answer.headers(), "cache-control");
            assert_eq!(cache, "public, max-age=31536000, immutable", "{}", file.display());
        }
        for path in ["/", "/index.html", "/no-such-file"] {
            let answer = ask(Method::GET, &server.url(path), &[]).await?;
            assert_eq!(header(answer.headers(), "cache-control"), "no-cache", "{path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn conditional_requests_return_304() -> anyhow::Result<()> {
    for server in both().await? {
        let url = server.url("/");
        let packed = ask(Method::GET, &url, &[("accept-encoding", "br")]).await?;
        let tag = header(packed.headers(), "etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is no strong tag");
        let plain = ask(Method::GET, &url, &[]).await?;
        assert_ne!(header(plain.headers(), "etag"), tag, "two encodings are two representations");
        let again = ask(Method::GET, &url, &[("accept-encoding", "br"), ("if-none-match", &tag)]).await?;
        assert_eq!(again.status(), 304);
        assert_eq!(
            (header(again.headers(), "etag"), header(again.headers(), "cache-control")),
            (&*tag, "no-cache")
        );
        let changed =
            ask(Method::GET, &url, &[("accept-encoding", "br"), ("if-none-match", "\"old\"")]).await?;
        assert_eq!(changed.status(), 200);
    }
    Ok(())
}

#[tokio::test]
async fn range_and_head_requests_are_supported() -> anyhow::Result<()> {
    let wasm = hashed_file(".wasm")?;
    let bytes = std::fs::read(&wasm)?;
    for server in both().await? {
        let url = url_of(&server, &wasm);
        let part = ask(Method::GET, &url, &[("range", "bytes=100-199")]).await?;
        assert_eq!(part.status(), 206);
        assert_eq!(header(part.headers(), "content-range"), format!("bytes 100-199/{}", bytes.len()));
        assert_eq!(Some(&part.bytes().await?[..]), bytes.get(100..200));
        let beyond = ask(Method::GET, &url, &[("range", "bytes=999999999-")]).await?;
        assert_eq!(beyond.status(), 416);
        assert_eq!(header(beyond.headers(), "content-range"), format!("bytes */{}", bytes.len()));
        let head = ask(Method::HEAD, &url, &[("accept-encoding", "br")]).await?;
        assert_eq!((head.status().as_u16(), header(head.headers(), "content-encoding")), (200, "br"));
        assert!(head.bytes().await?.is_empty());
        assert_eq!(ask(Method::POST, &server.url("/"), &[]).await?.status(), 405);
        assert_eq!(ask(Method::GET, &server.url("/%2e%2e/Cargo.toml"), &[]).await?.status(), 404);
    }
    Ok(())
}

#[tokio::test]
async fn only_allowed_origins_can_frame_the_page() -> anyhow::Result<()> {
    let own_key = ["--access-key", "an-access-key-of-thirty-two-characters"];
    let server =
        Server::start(&[&["--allow-origin", "https://friend.example"], &own_key[..]].concat()).await?;
    let answer = ask(Method::GET, &server.url("/"), &[]).await?;
    let policy = header(answer.headers(), "content-security-policy");
    assert!(policy.ends_with("frame-ancestors 'self' https://friend.example"), "{policy}");
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(header(answer.headers(), "x-content-type-options"), "nosniff");
    assert_eq!(header(answer.headers(), "referrer-policy"), "no-referrer");
    Ok(())
}

#[tokio::test]
async fn the_page_works_under_its_policy_without_inline_scripts() -> anyhow::Result<()> {
    // Without a directory, the embedded page is served.
    let server = Server::start(&[]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/?wrap=1&time=1&theme=dark")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    let lines = "\u{1b}[31mred\u{1b}[0m and \u{1b}[38;2;1;2;3;48;5;99mmany colours\u{1b}[m\nsee https://example.com/\n";
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    let streamed = run(&tailcast()?, &arguments, lines.as_bytes()).await?;
    assert_eq!(streamed.code, Some(0), "{}", streamed.stderr);
    browser
        .until("[...document.querySelectorAll('#log .row .text')].some(row => row.textContent === 'red and many colours')")
        .await?;
    assert_eq!(browser.console_errors().await?, [""; 0]);
    let violated = browser
        .client()
        .execute_async(
            "const done = arguments[0];
             addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));
             const script = document.createElement('script');
             script.textContent = 'document.title = \"taken over\"';
             document.body.append(script);",
            vec![],
        )
        .await?;
    assert_eq!(violated, "script-src-elem");
    assert_ne!(browser.client().title().await?, "taken over");
    browser.close().await
}

/// Temporary directory with a page, in a directory with another file. Removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> anyhow::Result<Self> {
        let folder = Self(std::env::temp_dir().join(format!("tailcast-site-{test}-{}", std::process::id())));
        fs::create_dir_all(folder.page().join("files"))?;
        fs::write(folder.0.join("secret.txt"), "secret")?;
        fs::write(folder.page().join("index.html"), "<!doctype html><title>Page</title>")?;
        fs::write(folder.page().join("files/own.js"), "own")?;
        Ok(folder)
    }

    fn page(&self) -> PathBuf {
        self.0.join("page")
    }

    async fn server(&self) -> anyhow::Result<Server> {
        let page = self.page();
        Server::start(&["--site", page.to_str().context("the path is not UTF-8")?]).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn symbolic_links_are_followed_only_inside_of_the_folder() -> anyhow::Result<()> {
    let folder = Folder::new("links")?;
    let page = folder.page();
    for (name, target) in [
        ("inside.js", Path::new("files/own.js")),
        ("files-too", Path::new("files")),
        ("relative.txt", Path::new("../secret.txt")),
        ("absolute.txt", &folder.0.join("secret.txt")),
        ("outside", Path::new("..")),
        ("loop", Path::new("loop")),
        ("dangling", Path::new("none")),
        // The variants that are sent to clients that accept compression.
        ("files/own.js.br", Path::new("../../secret.txt")),
        ("files/own.js.gz", Path::new("../../secret.txt")),
    ] {
        symlink(target, page.join(name)).with_context(|| name.to_owned())?;
    }
    let server = folder.server().await?;
    for path in ["/inside.js", "/files-too/own.js", "/files/own.js"] {
        let answer = ask(Method::GET, &server.url(path), &[("accept-encoding", "br, gzip")]).await?;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(header(answer.headers(), "content-encoding"), "", "{path}");
        assert_eq!(answer.text().await?, "own", "{path}");
    }
    for path in [
        "/relative.txt",
        "/absolute.txt",
        "/outside",
        "/outside/",
        "/outside/secret.txt",
        "/loop",
        "/dangling",
    ] {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(ask(method, &server.url(path), &[]).await?.status(), 404, "{path}");
        }
    }
    // A path that the operating system does not accept.
    assert_eq!(ask(Method::GET, &server.url(&format!("/{}", "n".repeat(300))), &[]).await?.status(), 404);
    Ok(())
}

#[tokio::test]
async fn the_folder_itself_can_be_a_symbolic_link_that_changes() -> anyhow::Result<()> {
    let folder = Folder::new("release")?;
    let (first, second) = (folder.0.join("first"), folder.0.join("second"));
    fs::rename(folder.page(), &first)?;
    fs::create_dir(&second)?;
    fs::write(second.join("index.html"), "second")?;
    symlink(&first, folder.page())?;
    let server = folder.server().await?;
    assert_eq!(ask(Method::GET, &server.url("/files/own.js"), &[]).await?.status(), 200);
    fs::remove_file(folder.page())?;
    symlink(&second, folder.page())?;
    assert_eq!(ask(Method::GET, &server.url("/"), &[]).await?.text().await?, "second");
    Ok(())
}

#[tokio::test]
async fn files_without_content_are_not_found_and_do_not_block_the_server() -> anyhow::Result<()> {
    let folder = Folder::new("fifo")?;
    let pipe = folder.page().join("pipe");
    let made =
        tokio::process::Command::new("mkfifo").arg(&pipe).arg(folder.page().join("own.js.br")).status();
    anyhow::ensure!(made.await?.success(), "mkfifo failed");
    fs::write(folder.page().join("own.js"), "own")?;
    let _listener = UnixListener::bind(folder.page().join("socket"))?;
    let mut server = folder.server().await?;
    for path in ["/pipe", "/socket"] {
        for method in [Method::GET, Method::HEAD] {
            let answer = with_timeout(path, async { ask(method, &server.url(path), &[]).await }).await?;
            assert_eq!(answer.status(), 404, "{path}");
        }
    }
    let compressed = ask(Method::GET, &server.url("/own.js"), &[("accept-encoding", "br")]).await?;
    assert_eq!(compressed.text().await?, "own");
    server.signal("TERM").await?;
    assert_eq!(server.wait_for_exit().await?, Some(0));
    Ok(())
}

#[tokio::test]
async fn pages_of_other_origins_cannot_load_the_files() -> anyhow::Result<()> {
    for server in both().await? {
        let page = ask(Method::GET, &server.url("/"), &[]).await?;
        assert_eq!(header(page.headers(), "cross-origin-resource-policy"), "same-origin");
        // Clients recognize by an opaque response that a server answered.
        let missing = ask(Method::GET, &server.url("/no-such-file"), &[]).await?;
        assert!(!missing.headers().contains_key("cross-origin-resource-policy"));
    }
    Ok(())
}
