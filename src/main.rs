//! The standalone page.

#[cfg(target_arch = "wasm32")]
fn main() {
    console_error_panic_hook::set_once();
    wasm_bindgen_futures::spawn_local(tailcast::app::mount_page());
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    eprintln!("tailcast-page is a web page: `cargo xtask serve` builds and serves it");
    std::process::ExitCode::from(2)
}
