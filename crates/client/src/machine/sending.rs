//! Requests of the application.

use webpubsub_protocol::{
    message::{Metadata, Request},
    name::{EventName, GroupName},
    payload::Payload,
    subprotocol::Subprotocol,
};

use super::{Effect, MAX_ACK_ID, Machine, Phase};
use crate::{
    ack_table::Purpose,
    codec::{self, Frame},
    failure::StartRefused,
    outgoing::{MAX_FRAME_BYTES, Outgoing, SendRefused, is_acceptable},
};

/// Reason why a join or a leave was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupRefused {
    /// The in-flight window is full: retry after an acknowledgement.
    #[error("the in-flight window is full; wait until a request is acknowledged")]
    WindowFull,
    /// The client has stopped.
    #[error("the client has stopped")]
    Stopped,
}

impl Machine {
    /// Whether [`Machine::send`], [`Machine::join_group`] and [`Machine::leave_group`] would take another request.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.requests.has_room()
    }

    /// Whether there is a connection to send on at once.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected(_))
    }

    /// Sends a message or an event, now or when there is a connection, and again under the same id until the service
    /// has acknowledged it. [`Effect::Settle`] reports the outcome under the id returned. A refusal by the service is
    /// final: it is reported, and never retried.
    ///
    /// # Limits
    /// [`Limits::in_flight_messages`](crate::Limits::in_flight_messages),
    /// [`Limits::in_flight_bytes`](crate::Limits::in_flight_bytes) and [`MAX_FRAME_BYTES`].
    ///
    /// # Errors
    /// [`SendRefused`], with the message inside.
    pub fn send(&mut self, outgoing: Outgoing) -> Result<u64, SendRefused> {
        if matches!(self.phase, Phase::Stopped) {
            return Err(SendRefused::Stopped(outgoing));
        }
        if !self.requests.has_room() {
            return Err(SendRefused::WindowFull(outgoing));
        }
        let ack_id = self.next_ack_id;
        let (request, frame) = self.checked(outgoing, Some(ack_id))?;
        self.take_ack_id();
        let is_connected = self.is_connected();
        if is_connected {
            self.effects.push_back(Effect::SendFrame(frame));
        }
        self.requests.insert(ack_id, request, Purpose::Message, is_connected);
        Ok(ack_id)
    }

    /// Publishes `payload` to `group`; see [`Machine::send`].
    ///
    /// # Errors
    /// [`SendRefused`], with the message inside.
    pub fn send_to_group(
        &mut self,
        group: &GroupName,
        payload: Payload<'static>,
    ) -> Result<u64, SendRefused> {
        self.send(Outgoing::to_group(group.clone(), payload))
    }

    /// Sends a message or an event once, and never learns what became of it.
    ///
    /// # Errors
    /// [`SendRefused`], with the message inside; [`SendRefused::NotConnected`] while there is no connection.
    pub fn send_and_forget(&mut self, outgoing: Outgoing) -> Result<(), SendRefused> {
        match self.phase {
            Phase::Stopped => return Err(SendRefused::Stopped(outgoing)),
            Phase::Connected(_) => {}
            _ => return Err(SendRefused::NotConnected(outgoing)),
        }
        let (_, frame) = self.checked(outgoing, None)?;
        self.effects.push_back(Effect::SendFrame(frame));
        Ok(())
    }

    /// Withdraws a message, join or leave of which the outcome is no longer wanted: it is not sent (again), and there is no
    /// [`Effect::Settle`]. A request that was sent already may be carried out.
    pub fn withdraw(&mut self, ack_id: u64) {
        let Some(entry) = self.requests.settle(ack_id) else { return };
        if let Purpose::Join { group, is_wish: true } = entry.purpose {
            self.groups.retain(|wanted| *wanted != group);
        }
    }

    /// Joins a group, on this connection and on each one to come. [`Effect::Settle`] reports the outcome under the id
    /// returned. A group that the service refuses is not asked for again.
    ///
    /// # Errors
    /// [`GroupRefused`].
    pub fn join_group(&mut self, group: &GroupName) -> Result<u64, GroupRefused> {
        let ack_id = self.group_request(group, |group, ack_id| {
            let request = Request::JoinGroup { group: group.clone(), ack_id: Some(ack_id) };
            (request, Purpose::Join { group, is_wish: true })
        })?;
        if self.options.rejoins && !self.groups.contains(group) {
            self.groups.push(group.clone());
        }
        Ok(ack_id)
    }

    /// Leaves a group, and does not join it on connections to come. [`Effect::Settle`] reports the outcome under the id
    /// returned.
    ///
    /// # Errors
    /// [`GroupRefused`].
    pub fn leave_group(&mut self, group: &GroupName) -> Result<u64, GroupRefused> {
        let ack_id = self.group_request(group, |group, ack_id| {
            let request = Request::LeaveGroup { group: group.clone(), ack_id: Some(ack_id) };
            (request, Purpose::Leave { group })
        })?;
        self.groups.retain(|wanted| wanted != group);
        Ok(ack_id)
    }

    /// Forgets a group that the service has refused: it is not joined on connections to come.
    pub fn forget_group(&mut self, group: &GroupName) {
        self.groups.retain(|wanted| wanted != group);
    }

    /// Asks the application's server, and waits for its answer: [`Effect::Answer`], under the number returned. Sent
    /// once: what a lost connection leaves unanswered has failed.
    ///
    /// # Limits
    /// [`Limits::invocations`](crate::Limits::invocations).
    ///
    /// # Errors
    /// [`StartRefused`]. The binary subprotocols cannot ask.
    pub fn invoke(
        &mut self,
        event: &EventName,
        payload: Option<Payload<'static>>,
    ) -> Result<u64, StartRefused> {
        let Phase::Connected(connection) = &self.phase else { return Err(StartRefused::NotConnected) };
        let subprotocol = connection.subprotocol;
        if codec::is_binary(subprotocol) {
            return Err(StartRefused::Unsupported);
        }
        if payload.as_ref().is_some_and(|payload| !is_acceptable(payload)) {
            return Err(StartRefused::Payload);
        }
        let limit = self.options.limits.invocations;
        let number = self.invocations.begin().ok_or(StartRefused::TooMany { limit })?;
        let (invocation_id, event, metadata) = (number.to_string(), event.clone(), Metadata::new());
        let request = Request::Invoke { invocation_id, event, payload, metadata };
        let frame = codec::encode(subprotocol, &request);
        if frame.len() > MAX_FRAME_BYTES {
            self.invocations.end(&number.to_string());
            return Err(StartRefused::Payload);
        }
        self.effects.push_back(Effect::SendFrame(frame));
        Ok(number)
    }

    /// The answer of an invocation is no longer wanted; there will be none.
    pub fn cancel_invocation(&mut self, invocation: u64) {
        let invocation_id = invocation.to_string();
        if self.invocations.end(&invocation_id).is_some() {
            self.send_request(&Request::CancelInvocation { invocation_id });
        }
    }

    fn group_request(
        &mut self,
        group: &GroupName,
        request: impl FnOnce(GroupName, u64) -> (Request<'static>, Purpose),
    ) -> Result<u64, GroupRefused> {
        if matches!(self.phase, Phase::Stopped) {
            return Err(GroupRefused::Stopped);
        }
        if !self.requests.has_room() {
            return Err(GroupRefused::WindowFull);
        }
        let ack_id = self.take_ack_id();
        let (request, purpose) = request(group.clone(), ack_id);
        self.send_request(&request);
        let is_connected = self.is_connected();
        self.requests.insert(ack_id, request, purpose, is_connected);
        Ok(ack_id)
    }

    /// The request and its frame, if the service can take them.
    fn checked(
        &self,
        outgoing: Outgoing,
        ack_id: Option<u64>,
    ) -> Result<(Request<'static>, Frame), SendRefused> {
        if !is_acceptable(outgoing.payload()) {
            return Err(SendRefused::NotJson(outgoing));
        }
        let subprotocol = self.present_subprotocol();
        let request = outgoing.into_request(ack_id);
        let frame = codec::encode(subprotocol, &request);
        let bytes = frame.len();
        if bytes > MAX_FRAME_BYTES {
            return Err(SendRefused::TooLarge { outgoing: Outgoing::from_request(request), bytes });
        }
        Ok((request, frame))
    }

    /// The subprotocol in use, or the one that will be if the service knows it.
    pub(super) fn present_subprotocol(&self) -> Subprotocol {
        match &self.phase {
            Phase::Connected(connection) => connection.subprotocol,
            Phase::Recovering(recovering) => recovering.connection.subprotocol,
            Phase::Greeting { subprotocol, .. } => *subprotocol,
            _ => self.options.subprotocols.first().copied().unwrap_or(Subprotocol::Json),
        }
    }

    pub(super) fn take_ack_id(&mut self) -> u64 {
        let ack_id = self.next_ack_id;
        self.next_ack_id = if ack_id >= MAX_ACK_ID { 1 } else { ack_id + 1 };
        ack_id
    }
}
