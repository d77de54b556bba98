//! The module of the custom element `<tail-cast>`: nothing happens until `tailcast.js` asks for a viewer.

// Its exports are all there is.
#[cfg(target_arch = "wasm32")]
use tailcast as _;

#[cfg(target_arch = "wasm32")]
fn main() {
    console_error_panic_hook::set_once();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    eprintln!("tailcast-element is a web component: `cargo xtask dist` builds it");
    std::process::ExitCode::from(2)
}
