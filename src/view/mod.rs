//! What the reader sees and does.
//!
//! | module | concept |
//! | --- | --- |
//! | [`app`] | the page |
//! | [`viewer`] | all there is to see, and what the reader does with it |
//! | [`screen`] | what surrounds the lines, and tables of what is shown where |
//! | [`surroundings`] | a page of its own, or somebody else's |
//! | [`settings`] | what the page is set to, and by whom |
//! | [`live_page`] | joins a client, the model and the view |
//! | [`page_address`] | what the page's address asks for |
//! | [`preferences`] | what the reader likes, kept |
//! | [`status_bar`] | the header: connection, counts, details |
//! | `element`, `shared_client` | the viewer for a custom element, and a connection for several (feature `element`) |
//! | [`empty_log`] | what is there before the first line |
//! | [`download`] | lines as a file |
//! | [`file_reading`] | files as lines |
//! | [`menu`] | menu, list of keys, and boxes that ask |
//! | [`tray`] | what lies above the lines |
//! | [`find_bar`] | the bar under it: what to look for, what to show |
//! | [`log_view`] | the virtual list |
//! | [`log_row`] | one row of it |
//! | [`text_selection`] | the browser's selection, mirrored |
//! | [`clipboard`] | the selection, copied |
//! | [`scroll_input`] | wheel, touch and pointer, told to the viewport |
//! | [`frame_gate`] | at most one painting per animation frame |
//! | [`listener`] | an event listener that ends with its owner |
//! | [`size_watch`] | tells when an element's size changed |
//! | [`clock`] | the browser's clocks |
//! | [`client`] | what the page asks of a client |
//! | [`composer_bar`] | a line to type in |
//! | [`source_switches`] | the sources, each with a switch |
//! | [`timeline_strip`] | how many lines came when |

pub mod app;
pub mod client;
pub mod clipboard;
pub mod clock;
pub mod composer_bar;
pub mod download;
#[cfg(any(feature = "element", test))]
pub mod element;
pub mod empty_log;
pub mod file_reading;
pub mod find_bar;
pub mod frame_gate;
pub mod listener;
pub mod live_page;
pub mod log_row;
pub mod log_view;
pub mod menu;
pub mod page_address;
pub mod preferences;
pub mod screen;
pub mod scroll_input;
pub mod settings;
#[cfg(any(feature = "element", test))]
pub mod shared_client;
pub mod size_watch;
pub mod source_switches;
pub mod status_bar;
pub mod surroundings;
pub mod text_selection;
pub mod timeline_strip;
pub mod tray;
pub mod viewer;

#[cfg(test)]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
#[cfg(test)]
mod json_tests;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod test_page;
