//! The predefined subprotocols, and how one is chosen from an offer.

/// A predefined subprotocol: how messages travel, and whether a lost connection can be recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subprotocol {
    /// `json.webpubsub.azure.v1`
    Json,
    /// `json.reliable.webpubsub.azure.v1`
    ReliableJson,
    /// `protobuf.webpubsub.azure.v1`
    Protobuf,
    /// `protobuf.reliable.webpubsub.azure.v1`
    ReliableProtobuf,
}

impl Subprotocol {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Json, Self::ReliableJson, Self::Protobuf, Self::ReliableProtobuf];

    /// The name on the wire, in `Sec-WebSocket-Protocol`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json.webpubsub.azure.v1",
            Self::ReliableJson => "json.reliable.webpubsub.azure.v1",
            Self::Protobuf => "protobuf.webpubsub.azure.v1",
            Self::ReliableProtobuf => "protobuf.reliable.webpubsub.azure.v1",
        }
    }

    /// The subprotocol called `name`; case is ignored, as the service ignores it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }
}

/// The names that a client offers, in its order of preference.
///
/// `header` is the value of `Sec-WebSocket-Protocol`; several headers count as one joined by commas (RFC 6455,
/// section 11.3.4).
pub fn offered_names(header: &str) -> impl Iterator<Item = &str> {
    header.split(',').map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised_in_any_case_and_nothing_else_is() {
        for protocol in Subprotocol::ALL {
            assert_eq!(Subprotocol::from_name(&protocol.name().to_uppercase()), Some(protocol));
        }
        assert_eq!(Subprotocol::from_name("json.webpubsub.azure.v2"), None);
    }

    #[test]
    fn an_offer_is_read_in_order_and_without_blanks() {
        let names: Vec<_> = offered_names(" chat.v1 ,json.webpubsub.azure.v1,, x").collect();
        assert_eq!(names, ["chat.v1", "json.webpubsub.azure.v1", "x"]);
    }
}
