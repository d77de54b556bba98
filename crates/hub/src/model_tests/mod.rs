//! Comparison of the hub with a simple model: after any sequence of operations, every client has received exactly the
//! messages that the model predicts, in that order.

mod streams;

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use crate::{
    broadcast::Broadcast,
    connection::{ClientConnection, ConnectionId, WireFormat},
    hub::{Audience, Hub},
    outbox::{EncodedFrame, NextWrite, Outbox},
    session::{Incoming, Session, SimpleMode},
};
use proptest::prelude::*;
use serde_json::Value;
use tokio::time::Instant;
use webpubsub_protocol::{
    message::{Metadata, Response},
    name::GroupName,
    payload::Payload,
    role::{Permission, Permissions},
};

use streams::{StreamStep, any_stream_step};
use webpubsub_websocket::encode::payloads;

const GROUPS: [&str; 3] = ["a", "b", "c"];
const USERS: [Option<&str>; 3] = [None, Some("ada"), Some("bob")];

/// Operation. Numbers select among the existing clients and groups.
#[derive(Debug, Clone)]
enum Step {
    Connect { user: usize, may_join: bool, may_send: bool },
    Join { client: usize, group: usize, ack_id: u64 },
    Leave { client: usize, group: usize, ack_id: u64 },
    Publish { client: usize, group: usize, ack_id: Option<u64>, no_echo: bool },
    Broadcast { excluded: usize },
    SendToUser { user: usize },
    SendToConnection { client: usize },
    AddToGroup { client: usize, group: usize },
    Decide { client: usize, send: bool, group: usize, allowed: bool },
    Disconnect { client: usize },
    Stream { client: usize, step: StreamStep },
}

fn any_step() -> impl Strategy<Value = Step> {
    let (client, group, ack_id) = (0..8_usize, 0..3_usize, 0..6_u64);
    prop_oneof![
        (0..3_usize, any::<bool>(), any::<bool>()).prop_map(|(user, may_join, may_send)| Step::Connect {
            user,
            may_join,
            may_send
        }),
        (client.clone(), group.clone(), ack_id.clone()).prop_map(|(client, group, ack_id)| Step::Join {
            client,
            group,
            ack_id
        }),
        (client.clone(), group.clone(), ack_id.clone()).prop_map(|(client, group, ack_id)| Step::Leave {
            client,
            group,
            ack_id
        }),
        (client.clone(), group.clone(), prop::option::of(ack_id), any::<bool>())
            .prop_map(|(client, group, ack_id, no_echo)| Step::Publish { client, group, ack_id, no_echo }),
        client.clone().prop_map(|excluded| Step::Broadcast { excluded }),
        (0..3_usize).prop_map(|user| Step::SendToUser { user }),
        client.clone().prop_map(|client| Step::SendToConnection { client }),
        (client.clone(), group.clone()).prop_map(|(client, group)| Step::AddToGroup { client, group }),
        (client.clone(), any::<bool>(), group, any::<bool>())
            .prop_map(|(client, send, group, allowed)| Step::Decide { client, send, group, allowed }),
        (client.clone(), any_stream_step()).prop_map(|(client, step)| Step::Stream { client, step }),
        client.prop_map(|client| Step::Disconnect { client }),
    ]
}

/// Client with its real session and its state in the model.
struct Client {
    session: Session,
    outbox: Arc<Outbox>,
    is_connected: bool,
    user: Option<&'static str>,
    groups: BTreeSet<&'static str>,
    may_join: HashSet<&'static str>,
    may_send: HashSet<&'static str>,
    carried_out: HashSet<u64>,
    /// Group and next sequence id of the open stream.
    stream: Option<(&'static str, u64)>,
    expected: Vec<String>,
}

#[derive(Default)]
struct World {
    hub: Arc<Hub>,
    clients: Vec<Client>,
    messages: u64,
}

impl World {
    fn apply(&mut self, step: Step) {
        match step {
            Step::Connect { user, may_join, may_send } => self.connect(USERS[user], may_join, may_send),
            Step::Broadcast { excluded } => {
                let excluded = self.connected_client(excluded);
                let text = self.next_text();
                self.server_sends(Audience::Everyone, excluded, &text);
                self.expect(|at, _| Some(at) != excluded, &format!("server {text}"));
            }
            Step::SendToUser { user } => {
                let Some(user) = USERS[user] else { return };
                let text = self.next_text();
                self.server_sends(Audience::User(user), None, &text);
                self.expect(|_, client| client.user == Some(user), &format!("server {text}"));
            }
            Step::SendToConnection { client } => {
                let Some(at) = self.connected_client(client) else { return };
                let (id, text) = (self.clients[at].session.connection().id.clone(), self.next_text());
                self.server_sends(Audience::Connection(id.as_str()), None, &text);
                self.expect(|other, _| other == at, &format!("server {text}"));
            }
            Step::Join { client, group, ack_id } => {
                let frame = format!(r#"{{"type":"joinGroup","group":"{}","ackId":{ack_id}}}"#, GROUPS[group]);
                self.request(client, Some(ack_id), &frame, |client| {
                    client.may_join.contains(GROUPS[group]).then(|| {
                        client.groups.insert(GROUPS[group]);
                    })
                });
            }
            Step::Leave { client, group, ack_id } => {
                let frame =
                    format!(r#"{{"type":"leaveGroup","group":"{}","ackId":{ack_id}}}"#, GROUPS[group]);
                self.request(client, Some(ack_id), &frame, |client| {
                    client.may_join.contains(GROUPS[group]).then(|| {
                        client.groups.remove(GROUPS[group]);
                    })
                });
            }
            Step::Publish { client, group, ack_id, no_echo } => {
                self.publish(client, GROUPS[group], ack_id, no_echo)
            }
            Step::AddToGroup { client, group } => {
                let Some(at) = self.connected_client(client) else { return };
                let client = &mut self.clients[at];
                self.hub
                    .join(&client.session.connection().id, &GroupName::new(GROUPS[group]).unwrap())
                    .unwrap();
                client.groups.insert(GROUPS[group]);
            }
            Step::Decide { client, send, group, allowed } => {
                let Some(at) = self.connected_client(client) else { return };
                let client = &mut self.clients[at];
                let (permission, known) = match send {
                    true => (Permission::SendToGroup, &mut client.may_send),
                    false => (Permission::JoinLeaveGroup, &mut client.may_join),
                };
                let name = GroupName::new(GROUPS[group]).unwrap();
                client.session.connection().set_permission(permission, &name, allowed).unwrap();
                if allowed {
                    known.insert(GROUPS[group]);
                } else {
                    known.remove(GROUPS[group]);
                }
            }
            Step::Disconnect { client } => {
                let Some(at) = self.connected_client(client) else { return };
                self.end_stream(at);
                self.clients[at].session.end(Instant::now());
                self.clients[at].is_connected = false;
                self.clients[at].groups.clear();
            }
            Step::Stream { client, step } => self.stream(client, step),
        }
    }

    /// Returns the index of a connected client; `None` if there is none.
    fn connected_client(&self, number: usize) -> Option<usize> {
        let connected: Vec<usize> =
            (0..self.clients.len()).filter(|at| self.clients[*at].is_connected).collect();
        (!connected.is_empty()).then(|| connected[number % connected.len()])
    }

    fn next_text(&mut self) -> String {
        self.messages += 1;
        self.messages.to_string()
    }

    fn connect(&mut self, user: Option<&'static str>, may_join: bool, may_send: bool) {
        let roles = [(may_join, "webpubsub.joinLeaveGroup"), (may_send, "webpubsub.sendToGroup")];
        let permissions =
            Permissions::from_roles(roles.iter().filter(|(may, _)| *may).map(|(_, role)| *role));
        let id = ConnectionId::random().unwrap();
        let connection =
            Arc::new(ClientConnection::new(id, user.map(str::to_owned), WireFormat::Json, permissions));
        self.hub.add(&connection);
        let all = |may: bool| if may { GROUPS.into_iter().collect() } else { HashSet::new() };
        self.clients.push(Client {
            outbox: connection.attach(Instant::now()).unwrap(),
            session: Session::new(Arc::clone(&self.hub), connection, SimpleMode::SendEvent),
            is_connected: true,
            user,
            groups: BTreeSet::new(),
            may_join: all(may_join),
            may_send: all(may_send),
            carried_out: HashSet::new(),
            stream: None,
            expected: Vec::new(),
        });
    }

    fn expect(&mut self, is_receiver: impl Fn(usize, &Client) -> bool, expected: &str) {
        for (at, client) in self.clients.iter_mut().enumerate() {
            if client.is_connected && is_receiver(at, client) {
                client.expected.push(expected.to_owned());
            }
        }
    }

    fn server_sends(&self, audience: Audience<'_>, excluded: Option<usize>, text: &str) {
        let excluded = excluded.map(|at| self.clients[at].session.connection().id.clone());
        let payload = Payload::Text(text.to_owned().into());
        let message = Response::ServerMessage { payload, sequence: None, metadata: Metadata::new() };
        assert!(
            self.hub
                .fan_out(
                    audience,
                    None,
                    |c| Some(&c.id) == excluded.as_ref(),
                    &mut Broadcast::new(&message, Instant::now())
                )
                .is_empty()
        );
    }

    /// Sends a request of a client. `model` applies it to the model, or returns `None` if it is forbidden.
    fn request(
        &mut self,
        client: usize,
        ack_id: Option<u64>,
        frame: &str,
        model: impl FnOnce(&mut Client) -> Option<()>,
    ) {
        let Some(at) = self.connected_client(client) else { return };
        self.clients[at].session.receive(Incoming::Text(frame), Instant::now());
        self.settle(at, ack_id, model);
    }

    fn settle(&mut self, at: usize, ack_id: Option<u64>, model: impl FnOnce(&mut Client) -> Option<()>) {
        let client = &mut self.clients[at];
        let is_repeated = ack_id.is_some_and(|ack_id| client.carried_out.contains(&ack_id));
        let outcome = match is_repeated {
            true => "Duplicate",
            false if model(client).is_some() => "ok",
            false => "Forbidden",
        };
        if let Some(ack_id) = ack_id {
            if outcome == "ok" {
                client.carried_out.insert(ack_id);
            }
            client.expected.push(format!("ack {ack_id} {outcome}"));
        }
    }

    fn publish(&mut self, client: usize, group: &'static str, ack_id: Option<u64>, no_echo: bool) {
        let Some(at) = self.connected_client(client) else { return };
        let text = self.next_text();
        let ack = ack_id.map(|ack_id| format!(r#","ackId":{ack_id}"#)).unwrap_or_default();
        let frame = format!(
            r#"{{"type":"sendToGroup","group":"{group}","noEcho":{no_echo},"dataType":"text","data":"{text}"{ack}}}"#
        );
        self.clients[at].session.receive(Incoming::Text(&frame), Instant::now());
        let is_repeated = ack_id.is_some_and(|ack_id| self.clients[at].carried_out.contains(&ack_id));
        let is_allowed = self.clients[at].may_send.contains(group);
        if is_allowed && !is_repeated {
            let from = self.clients[at].user.unwrap_or("nobody");
            let is_receiver =
                |other: usize, client: &Client| client.groups.contains(group) && !(no_echo && other == at);
            self.expect(is_receiver, &format!("{group} from {from}: {text}"));
        }
        self.settle(at, ack_id, |_| is_allowed.then_some(()));
    }

    /// Compares the received messages of all clients with the expected ones.
    async fn compare(&self) -> Result<(), TestCaseError> {
        for client in &self.clients {
            // A marker frame makes the outbox answer at once, even if it is empty otherwise.
            client.outbox.push(&EncodedFrame::from(b"\x81\x00".to_vec()));
            let NextWrite::Frames(frames) = client.outbox.next_write(Instant::now).await else {
                panic!("closed")
            };
            let frames = frames.concat();
            let received: Vec<String> =
                payloads(&frames).filter(|payload| !payload.is_empty()).map(notation).collect();
            prop_assert_eq!(&received, &client.expected);
        }
        Ok(())
    }
}

/// Translates a frame into the notation of the model.
fn notation(payload: &[u8]) -> String {
    let json: Value = serde_json::from_slice(payload).unwrap();
    let text = |name: &str| json[name].as_str().unwrap_or("nobody").to_owned();
    match (json["type"].as_str(), json["from"].as_str()) {
        (Some("ack"), _) if json["success"] == true => format!("ack {} ok", json["ackId"]),
        (Some("ack"), _) => format!("ack {} {}", json["ackId"], json["error"]["name"].as_str().unwrap()),
        (Some("streamAck"), _) => format!("stream at {}", json["expectedSequenceId"]),
        (Some("streamNack"), _) => format!("stream back at {}", json["expectedSequenceId"]),
        (Some("streamClosed"), _) => {
            format!("stream closed {}", json["error"]["name"].as_str().unwrap_or("well"))
        }
        (_, Some("group")) if json["stream"]["endOfStream"] == true => {
            format!(
                "{} from {}: end {}",
                text("group"),
                text("fromUserId"),
                json["stream"]["streamSequenceId"]
            )
        }
        (_, Some("group")) => format!("{} from {}: {}", text("group"), text("fromUserId"), text("data")),
        _ => format!("server {}", text("data")),
    }
}

proptest! {
    #[test]
    fn all_clients_receive_the_messages_of_the_model_in_order(steps in prop::collection::vec(any_step(), 0..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut world = World::default();
        for step in steps {
            world.apply(step);
        }
        runtime.block_on(world.compare())?;
    }
}
