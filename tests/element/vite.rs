//! The package in Vite's development server, which serves an application without building it. Every application is new: Vite has
//! optimized none of its dependencies yet.

use tailcast_tests::{browser::Browser, bundled::Application, server::Server};

use crate::package::{ELEMENT, shows_a_stream};

const SETTING: &str = r#"optimizeDeps: { exclude: ["tailcast"] }"#;

async fn shows_lines_with_react_and_with_vue(application: &Application, vite: &str) -> anyhow::Result<()> {
    let development = application.develop(vite, "development").await?;
    let server = Server::start(&["--allow-origin", &development.origin]).await?;
    let browser = Browser::start().await?;
    for page in ["react", "vue"] {
        shows_a_stream(&browser, &server, &format!("{}/{page}.html", development.origin)).await?;
    }
    assert_eq!(browser.console_errors().await?, [""; 0]);
    browser.close().await
}

#[tokio::test]
async fn the_first_run_of_vite_6_shows_lines() -> anyhow::Result<()> {
    let application = Application::new("vite-6").await?;
    shows_lines_with_react_and_with_vue(&application, "vite-6").await
}

#[tokio::test]
async fn the_first_run_of_vite_7_shows_lines_in_a_package_of_a_workspace() -> anyhow::Result<()> {
    let application = Application::in_workspace("vite-7").await?;
    shows_lines_with_react_and_with_vue(&application, "vite-7").await
}

#[tokio::test]
async fn the_first_run_of_vite_8_shows_lines() -> anyhow::Result<()> {
    let application = Application::new("vite-8").await?;
    shows_lines_with_react_and_with_vue(&application, "vite").await
}

#[tokio::test]
async fn missing_webassembly_is_reported_with_the_setting_of_vite() -> anyhow::Result<()> {
    let application = Application::new("vite-optimized").await?;
    // With the condition `production`, Vite takes the entry that its optimizer separates from the WebAssembly.
    let development = application.develop("vite-7", "production").await?;
    let browser = Browser::start().await?;
    browser.open(&format!("{}/plain.html?negotiate=/negotiate", development.origin)).await?;
    browser.until(&format!("{ELEMENT}?.shadowRoot.textContent.includes({SETTING:?})")).await?;
    let readme = std::fs::read_to_string(application.package("tailcast").join("README.md"))?;
    assert!(readme.contains(SETTING), "the package's README does not name the setting");
    browser.close().await
}
