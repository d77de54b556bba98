//! The wire protocols of Azure Web PubSub, as types.
//!
//! This crate turns bytes into meaning and back, and nothing else: it opens no socket, reads no clock and starts no
//! task. Time and bytes come in as arguments. Client and service both stand on it, so a rule of the wire is written
//! once.
//!
//! | module | concept |
//! | --- | --- |
//! | [`name`] | hub, group and event names, checked once |
//! | [`pattern`] | wildcards for names |
//! | [`payload`] | what a message carries: text, JSON, binary, protobuf |
//! | [`message`] | requests (client to service) and responses (service to client), whatever their wire format |
//! | [`json`] | the text form of both, `json.webpubsub.azure.v1` |
//! | `protobuf` (feature) | the binary form, `protobuf.webpubsub.azure.v1` |
//! | [`stream`] | fragments in one order, from one publisher to a group |
//! | [`subprotocol`] | the predefined subprotocols and how one is chosen |
//! | [`history`] | earlier messages of a group, over HTTP |
//! | [`marks`] | escape sequences in text that name sources and report commands |
//! | [`filter`] | which connections a message is for, as an OData expression |
//! | [`role`] | what a connection may do, and the role strings that grant it |
//! | [`close`] | why a connection ends: WebSocket close codes and reasons |
//! | [`connection_string`] | `Endpoint=…;AccessKey=…;` |
//! | [`endpoint`] | the URLs of a service: client endpoint, REST data plane, token audiences |
//! | `token` (feature) | access tokens: signing and checking |
//!
//! Sources: the [client specification][spec] and the [service documentation][docs].
//!
//! [spec]: https://github.com/Azure/azure-webpubsub/blob/main/protocols/client/client-spec.md
//! [docs]: https://learn.microsoft.com/azure/azure-web-pubsub/

pub mod close;
pub mod connection_string;
pub mod endpoint;
pub mod filter;
pub mod history;
pub mod json;
pub mod marks;
pub mod message;
pub mod metadata;
pub mod name;
pub mod pattern;
pub mod payload;
#[cfg(feature = "protobuf")]
pub mod protobuf;
pub mod role;
pub mod stream;
pub mod subprotocol;
#[cfg(feature = "token")]
pub mod token;
