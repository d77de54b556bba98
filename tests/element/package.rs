//! npm package of the element: in built applications, and without a build.

use std::path::Path;

use serde_json::{Value, json};
use tailcast_tests::{
    browser::{Browser, Kind},
    bundled::Application,
    command::run,
    embedding::Embedding,
    environment::{self, tailcast},
    file_host::FileHost,
    server::Server,
};

/// Files of the package.
const FILES: [&str; 12] = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "command.js",
    "custom-elements.json",
    "development.jsx",
    "package.json",
    "react.d.ts",
    "tailcast-core.js",
    "tailcast-core_bg.wasm",
    "tailcast.d.ts",
    "tailcast.js",
];
pub const ELEMENT: &str = "document.querySelector('tail-cast')";

/// Opens a page with one element, and waits until it shows a published line.
pub async fn shows_a_stream(browser: &Browser, server: &Server, page: &str) -> anyhow::Result<()> {
    browser.open(&format!("{page}?negotiate={}", server.negotiate_url())).await?;
    let part = |selector: &str| format!("{ELEMENT}?.shadowRoot?.querySelector('{selector}')");
    browser.until(&format!("{}?.dataset.state === 'connected'", part("#status"))).await?;
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    let ended = run(&tailcast()?, &arguments, format!("for {page}\n").as_bytes()).await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    browser.until(&format!("{}.textContent.includes('for {page}')", part("#log"))).await
}

#[tokio::test]
async fn vite_builds_show_lines_with_and_without_react_and_vue() -> anyhow::Result<()> {
    let application = Application::new("built").await?;
    application.node("vite/bin/vite.js", &["build", "--logLevel", "warn"]).await?;
    let preview = application.preview().await?;
    let server = Server::start(&["--allow-origin", &preview.origin]).await?;
    let browser = Browser::start().await?;
    for page in ["plain", "react", "vue"] {
        shows_a_stream(&browser, &server, &format!("{}/{page}.html", preview.origin)).await?;
        let connection = format!("{ELEMENT}.shadowRoot.querySelector('#status').dataset.connectionId");
        if page == "plain" {
            browser.until(&format!("document.title === `connected as ${{{connection}}}`")).await?;
            continue;
        }
        browser.until(&format!("document.querySelector('output').textContent === {connection}")).await?;
        let given =
            format!("const {{ group, maxLines, wrap }} = {ELEMENT}; return {{ group, maxLines, wrap }}");
        assert_eq!(
            browser.run(&given).await?,
            json!({ "group": "stream", "maxLines": 500, "wrap": false }),
            "{page}"
        );
        browser.run("document.querySelector('button').click()").await?;
        browser
            .until(&format!(
                "{ELEMENT}.wrap && {ELEMENT}.shadowRoot.querySelector('#log').classList.contains('wrap')"
            ))
            .await?;
        let slotted = browser.run("return document.querySelector('[slot=header]').checkVisibility()").await?;
        assert_eq!(slotted, true, "{page}");
        assert_eq!(browser.run("return document.querySelectorAll('tail-cast').length").await?, 1, "{page}");
    }
    assert_eq!(browser.console_errors().await?, [""; 0]);
    browser.close().await
}

#[tokio::test]
async fn the_types_accept_valid_and_reject_invalid_code() -> anyhow::Result<()> {
    let application = Application::new("typed").await?;
    application.node("typescript/bin/tsc", &["--project", "."]).await.map(drop)
}

#[tokio::test]
async fn the_package_is_complete_and_works_without_a_build() -> anyhow::Result<()> {
    let application = Application::new("unbuilt").await?;
    let folder = application.package("tailcast");
    let mut files: Vec<String> = Vec::new();
    for entry in folder.read_dir()? {
        files.push(entry?.file_name().to_string_lossy().into_owned());
    }
    files.sort_unstable();
    assert_eq!(files, FILES);
    let package: Value = serde_json::from_slice(&std::fs::read(folder.join("package.json"))?)?;
    let named = [
        &package["exports"]["."]["default"],
        &package["exports"]["."]["development"],
        &package["exports"]["."]["types"],
        &package["exports"]["./react"]["types"],
        &package["customElements"],
    ];
    for name in named {
        let name = name.as_str().unwrap_or_default();
        assert!(name.starts_with("./") && folder.join(name).is_file(), "{name}");
    }
    // An import outside of browsers has no effect and does not fail.
    application.node("tailcast/tailcast.js", &[]).await?;
    std::fs::write(
        folder.join("page.html"),
        "<!doctype html><title>Plain</title><script type=module src=tailcast.js></script><tail-cast></tail-cast>
         <script>document.querySelector('tail-cast').setAttribute('negotiate', new URLSearchParams(location.search).get('negotiate'))</script>",
    )?;
    let host = FileHost::start("/", &folder).await?;
    let server = Server::start(&["--allow-origin", &host.origin()]).await?;
    let browser = Browser::start().await?;
    shows_a_stream(&browser, &server, &host.url("page.html")).await?;
    browser.close().await
}

#[tokio::test]
async fn manifest_types_and_documentation_match_the_element() -> anyhow::Result<()> {
    let page =
        Embedding::connect(Kind::Chromium, "<tail-cast negotiate=NEGOTIATE publish follow=0></tail-cast>")
            .await?;
    let there = page
        .browser
        .run_async(
            "const names = (found) => [...new Set(found)].sort();
             const { constructor: { observedAttributes }, shadowRoot } = element();
             const own = Object.getOwnPropertyNames(Object.getPrototypeOf(element()))
                 .filter((name) => !/Callback$|^constructor$|^addEventListener$/.test(name));
             const sheet = [...shadowRoot.adoptedStyleSheets[0].cssRules].map((rule) => rule.cssText).join();
             done({
                 attributes: names(observedAttributes),
                 members: names(own),
                 slots: names(parts('slot').map((slot) => slot.name)),
                 cssParts: names(parts('[part]').map((one) => one.getAttribute('part'))),
                 cssProperties: names(sheet.match(/--tailcast-[a-z-]+/g)),
             })",
        )
        .await?;
    let package = environment::element()?;
    let read = |name: &str| std::fs::read_to_string(package.join(name));
    let manifest: Value = serde_json::from_str(&read("custom-elements.json")?)?;
    let declared = &manifest["modules"][0]["declarations"][0];
    let names = |kind: &str| {
        let listed = declared[kind].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str());
        let mut names: Vec<&str> = listed.collect();
        names.sort_unstable();
        names
    };
    for kind in ["attributes", "members", "slots", "cssParts", "cssProperties"] {
        assert_eq!(json!(names(kind)), there[kind], "{kind}");
    }
    let (types, readme) = (read("tailcast.d.ts")?, read("README.md")?);
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/embedding.md"))?;
    for name in names("members").into_iter().chain(names("events")) {
        assert!(types.contains(name), "{name} has no type");
    }
    for kind in ["attributes", "events", "slots", "cssParts", "cssProperties"] {
        for name in names(kind) {
            assert!(guide.contains(&format!("`{name}`")), "{name} is not in docs/embedding.md");
            let short = name.trim_start_matches("--tailcast");
            assert!(readme.contains(&format!("{short}`")), "{name} is not in the package's README");
        }
    }
    page.close_without_errors().await
}
