//! Negotiation of the subprotocol.

use webpubsub_protocol::subprotocol::Subprotocol;

use super::error::HandshakeError;
use crate::connection::WireFormat;

/// Negotiated subprotocol: wire format, and the name to return to the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SubprotocolChoice {
    pub(super) format: WireFormat,
    pub(super) echo: Option<String>,
}

impl SubprotocolChoice {
    /// Chooses the first predefined subprotocol that the client offers, or `wanted`, the choice of the event handler.
    ///
    /// Custom names are not an error: unless the event handler chooses one, the handshake succeeds without a
    /// subprotocol, and the client is a simple one.
    ///
    /// # Errors
    /// [`HandshakeError::Subprotocol`] if the client does not offer `wanted`.
    pub(super) fn negotiate(offered: &[String], wanted: Option<&str>) -> Result<Self, HandshakeError> {
        if let Some(wanted) = wanted {
            let Some(name) = offered.iter().find(|name| name.eq_ignore_ascii_case(wanted)) else {
                let reason = format!(
                    "the event handler chose the subprotocol `{wanted}`, which the client does not offer"
                );
                return Err(HandshakeError::Subprotocol(reason));
            };
            let format = Subprotocol::from_name(name).map_or(WireFormat::Simple, WireFormat::for_subprotocol);
            return Ok(Self { format, echo: Some(name.clone()) });
        }
        let predefined =
            |name: &String| Some((WireFormat::for_subprotocol(Subprotocol::from_name(name)?), name.clone()));
        Ok(match offered.iter().find_map(predefined) {
            Some((format, name)) => Self { format, echo: Some(name) },
            None => Self { format: WireFormat::Simple, echo: None },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(offered: &[&str], wanted: Option<&str>) -> Option<(WireFormat, Option<String>)> {
        let offered: Vec<String> = offered.iter().map(|name| (*name).to_owned()).collect();
        SubprotocolChoice::negotiate(&offered, wanted).ok().map(|choice| (choice.format, choice.echo))
    }

    const JSON: &str = "json.webpubsub.azure.v1";

    #[test]
    fn the_first_predefined_name_is_chosen_and_echoed() {
        let json = Some((WireFormat::Json, Some(JSON.to_owned())));
        assert_eq!(choose(&["chat.v1", JSON, "protobuf.webpubsub.azure.v1"], None), json);
        for protocol in Subprotocol::ALL {
            let chosen = Some((WireFormat::for_subprotocol(protocol), Some(protocol.name().to_owned())));
            assert_eq!(choose(&[protocol.name(), JSON], None), chosen);
        }
    }

    #[test]
    fn custom_names_are_accepted_and_make_a_simple_client() {
        assert_eq!(choose(&[], None), Some((WireFormat::Simple, None)));
        assert_eq!(choose(&["chat.v1", "chat.v2"], None), Some((WireFormat::Simple, None)));
    }

    #[test]
    fn the_event_handler_may_choose_an_offered_subprotocol() {
        let custom = Some((WireFormat::Simple, Some("chat.v2".to_owned())));
        assert_eq!(choose(&[JSON, "chat.v2"], Some("chat.v2")), custom);
        assert_eq!(choose(&[JSON], Some("chat.v2")), None);
    }
}
