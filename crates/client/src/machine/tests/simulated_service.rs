//! A service that keeps the rules, in memory: greets, carries out, remembers ids, numbers what it sends, keeps it until
//! it is acknowledged, and keeps lost connections for a while.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use webpubsub_protocol::{
    json,
    message::{AckError, Metadata, Request, Response, Sequence},
    payload::Payload,
};

use super::*;
use crate::codec::is_binary;

/// How many ids of carried out requests the service remembers.
const REMEMBERED_IDS: usize = 1000;
/// How many messages it keeps for one connection.
const KEPT_MESSAGES: usize = 1000;

#[derive(Debug)]
pub(super) struct ServedConnection {
    subprotocol: Subprotocol,
    token: String,
    /// The socket it is on, or since when it has none.
    socket: Result<u64, Moment>,
    is_member: bool,
    carried_out: VecDeque<u64>,
    next_sequence: u64,
    kept: VecDeque<(u64, u64)>,
    /// The numbers of the messages that this connection published, in order.
    pub(super) published: Vec<u64>,
}

/// What the service does to a socket.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    Frame(Frame),
    Closed(u16),
}

#[derive(Debug, Default)]
pub(super) struct SimulatedService {
    pub(super) connections: BTreeMap<String, ServedConnection>,
    /// Every message that was published, by whichever connection, in order.
    pub(super) log: Vec<u64>,
    /// Published messages by connection, of those that are gone.
    pub(super) past: Vec<Vec<u64>>,
    served: u64,
    last_broadcast: u64,
    only_plain: bool,
}

fn encode(subprotocol: Subprotocol, response: &Response<'_>) -> Said {
    #[cfg(feature = "protobuf")]
    if is_binary(subprotocol) {
        return Said::Frame(Frame::Binary(webpubsub_protocol::protobuf::encode_response(response)));
    }
    assert!(!is_binary(subprotocol));
    Said::Frame(Frame::Text(json::encode_response(response)))
}

fn decode(frame: &Frame) -> Request<'_> {
    match frame {
        Frame::Text(text) => json::decode_request(text).unwrap(),
        #[cfg(feature = "protobuf")]
        Frame::Binary(bytes) => webpubsub_protocol::protobuf::decode_request(bytes).unwrap(),
        #[cfg(not(feature = "protobuf"))]
        Frame::Binary(_) => panic!("a binary frame"),
    }
}

impl SimulatedService {
    /// A service that speaks every subprotocol, or only the plain JSON one.
    pub(super) fn new(only_plain: bool) -> Self {
        Self { only_plain, ..Self::default() }
    }

    /// A socket was opened: what was chosen, and what the service says at once.
    pub(super) fn opened(
        &mut self,
        socket: u64,
        url: &str,
        offered: &[Subprotocol],
    ) -> (Option<Subprotocol>, Vec<Said>) {
        let parameter = |name: &str| {
            url.split(['?', '&'])
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
        };
        if let (Some(id), Some(token)) =
            (parameter("awps_connection_id"), parameter("awps_reconnection_token"))
        {
            return match self.connections.get_mut(&id) {
                Some(connection) if connection.token == token => {
                    connection.socket = Ok(socket);
                    let subprotocol = connection.subprotocol;
                    let again = connection.kept.iter().map(|&(sequence, number)| {
                        encode(subprotocol, &broadcast_message(number, Some(sequence)))
                    });
                    (Some(subprotocol), again.collect())
                }
                _ => (Some(offered[0]), vec![Said::Closed(1008)]),
            };
        }
        let speaks = |subprotocol: &Subprotocol| !self.only_plain || *subprotocol == Subprotocol::Json;
        let Some(subprotocol) = offered.iter().copied().find(speaks) else { return (None, vec![]) };
        self.served += 1;
        let (id, token) = (format!("c{}", self.served), format!("t{}", self.served));
        let is_reliable = matches!(subprotocol, Subprotocol::ReliableJson | Subprotocol::ReliableProtobuf);
        let greeting = Response::Connected {
            connection_id: id.clone(),
            user_id: None,
            reconnection_token: is_reliable.then(|| token.clone()),
            run_id: None,
        };
        let connection = ServedConnection {
            subprotocol,
            token,
            socket: Ok(socket),
            is_member: false,
            carried_out: VecDeque::new(),
            next_sequence: 1,
            kept: VecDeque::new(),
            published: Vec::new(),
        };
        self.connections.insert(id, connection);
        (Some(subprotocol), vec![encode(subprotocol, &greeting)])
    }

    fn on_socket(&mut self, socket: u64) -> Option<&mut ServedConnection> {
        self.connections.values_mut().find(|connection| connection.socket == Ok(socket))
    }

    /// A frame came on a socket.
    pub(super) fn received(&mut self, socket: u64, frame: &Frame) -> Vec<Said> {
        let request = decode(frame);
        let Some(connection) = self.on_socket(socket) else { return vec![] };
        let subprotocol = connection.subprotocol;
        let id = match &request {
            Request::JoinGroup { ack_id, .. }
            | Request::LeaveGroup { ack_id, .. }
            | Request::SendToGroup { ack_id, .. } => ack_id.unwrap(),
            Request::Ping => return vec![encode(subprotocol, &Response::Pong)],
            Request::SequenceAck { sequence_id } => {
                connection.kept.retain(|(sequence, _)| sequence > sequence_id);
                return vec![];
            }
            other => panic!("{other:?}"),
        };
        let outcome = if connection.carried_out.contains(&id) {
            Err(AckError { name: AckError::DUPLICATE.into(), message: String::new() })
        } else {
            connection.carried_out.push_back(id);
            if connection.carried_out.len() > REMEMBERED_IDS {
                connection.carried_out.pop_front();
            }
            match request {
                Request::JoinGroup { .. } => connection.is_member = true,
                Request::SendToGroup { payload: Payload::Text(text), .. } => {
                    let number = text.parse().unwrap();
                    connection.published.push(number);
                    self.log.push(number);
                }
                other => panic!("{other:?}"),
            }
            Ok(())
        };
        vec![encode(subprotocol, &Response::Ack { ack_id: id, outcome })]
    }

    /// Somebody else publishes: what is said on which socket.
    pub(super) fn broadcast(&mut self) -> Vec<(u64, Said)> {
        self.last_broadcast += 1;
        let number = self.last_broadcast;
        let mut said = Vec::new();
        let mut overfull = Vec::new();
        for (id, connection) in self.connections.iter_mut().filter(|(_, connection)| connection.is_member) {
            let is_reliable =
                matches!(connection.subprotocol, Subprotocol::ReliableJson | Subprotocol::ReliableProtobuf);
            let sequence = is_reliable.then_some(connection.next_sequence);
            if is_reliable {
                connection.next_sequence += 1;
                connection.kept.push_back((connection.next_sequence - 1, number));
            }
            if connection.kept.len() > KEPT_MESSAGES {
                overfull.push(id.clone());
            }
            if let Ok(socket) = connection.socket {
                said.push((socket, encode(connection.subprotocol, &broadcast_message(number, sequence))));
            }
        }
        for id in overfull {
            if let Some(connection) = self.forget(&id) {
                said.extend(connection.map(|socket| (socket, Said::Closed(1008))));
            }
        }
        said
    }

    /// A socket is gone.
    pub(super) fn lost(&mut self, socket: u64, now: Moment) {
        let lost: Vec<String> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.socket == Ok(socket))
            .map(|(id, _)| id.clone())
            .collect();
        for id in lost {
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.socket = Err(now);
                if matches!(connection.subprotocol, Subprotocol::Json | Subprotocol::Protobuf) {
                    self.forget(&id);
                }
            }
        }
    }

    /// Forgets what has been lost for too long.
    pub(super) fn tidy(&mut self, now: Moment) {
        let window = crate::RECOVERY_WINDOW;
        let is_over =
            |connection: &ServedConnection| connection.socket.is_err_and(|since| now.since(since) >= window);
        let over: Vec<String> =
            self.connections.iter().filter(|(_, it)| is_over(it)).map(|(id, _)| id.clone()).collect();
        for id in over {
            self.forget(&id);
        }
    }

    /// Everything is forgotten, as by a restart.
    pub(super) fn restart(&mut self) {
        for id in self.connections.keys().cloned().collect::<Vec<_>>() {
            self.forget(&id);
        }
    }

    fn forget(&mut self, id: &str) -> Option<Option<u64>> {
        let connection = self.connections.remove(id)?;
        self.past.push(connection.published);
        Some(connection.socket.ok())
    }

    /// The numbers that each connection published, in order.
    pub(super) fn published_by_connection(&self) -> impl Iterator<Item = &Vec<u64>> {
        self.past.iter().chain(self.connections.values().map(|connection| &connection.published))
    }

    /// Ids of connections that hold more than the limit, for the invariant of bounded memory on the other side.
    pub(super) fn ids(&self) -> BTreeSet<&String> {
        self.connections.keys().collect()
    }
}

fn broadcast_message(number: u64, sequence_id: Option<u64>) -> Response<'static> {
    Response::GroupMessage {
        group: "stream".into(),
        from_user_id: None,
        payload: Payload::Text(number.to_string().into()),
        sequence: sequence_id.map(Sequence::from),
        metadata: Metadata::new(),
        stream: None,
    }
}
