//! The viewer's edge to the browser: clocks, timers, files, clipboard, storage, addresses, clients.
//!
//! | module | concept |
//! | --- | --- |
//! | [`host`] | the page around the viewer: its own, or a host page |
//! | [`settings`] | settings from the address, the storage and the host page |
//! | [`preferences`] | settings that the user changes, persisted |
//! | [`page_address`], [`address_error`] | groups, negotiate endpoints and limits that the settings ask for |
//! | [`client`], `shared_client` | clients of the connections |
//! | [`scheduler`] | animation frames, idle callbacks and timers |
//! | [`clock`] | the browser's clocks |
//! | [`clipboard`] | copying |
//! | [`download`] | lines as a file |
//! | [`file_reader`] | files as lines |

pub mod address_error;
pub mod client;
pub mod clipboard;
pub mod clock;
pub mod download;
pub mod file_reader;
pub mod group_list;
pub mod host;
pub mod page_address;
pub mod preferences;
pub mod scheduler;
pub mod settings;
#[cfg(any(feature = "element", test))]
pub mod shared_client;
