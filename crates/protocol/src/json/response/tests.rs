//! Tests of [`super`].

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    down_valid: Vec<Frame>,
    down_ignored_by_clients: Vec<String>,
}

#[derive(Deserialize)]
struct Frame {
    text: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../tests/vectors/frames.json")).unwrap()
}

#[test]
fn every_recorded_response_is_read_and_written_back_alike() {
    for Frame { text } in vectors().down_valid {
        let response = decode_response(&text).unwrap();
        let response = response.unwrap_or_else(|| panic!("{text} was ignored"));
        let written = encode_response(&response);
        assert_eq!(decode_response(&written).unwrap(), Some(response), "{text}");
    }
}

#[test]
fn frames_of_a_later_version_are_ignored() {
    let with_changed_member = r#"{"type":"somethingNew","group":{"name":"g"}}"#.to_owned();
    for frame in vectors().down_ignored_by_clients.into_iter().chain([with_changed_member]) {
        assert_eq!(decode_response(&frame).unwrap(), None, "{frame}");
    }
}

#[test]
fn an_anonymous_sender_is_written_as_null_because_old_clients_read_the_member() {
    let response = Response::Connected {
        connection_id: "c".into(),
        user_id: None,
        reconnection_token: None,
        run_id: None,
    };
    assert_eq!(encode_response(&response), r#"{"type":"system","event":"connected","connectionId":"c"}"#);
}

#[test]
fn states_of_a_group_have_the_members_of_the_official_client() {
    let item = |id: &str, user: Option<&str>, state: Option<&str>| crate::message::GroupStateItem {
        connection_id: id.to_owned(),
        user_id: user.map(str::to_owned),
        state: state.map(|value| [("typ\"ing".to_owned(), value.to_owned())].into()),
        updated_at: 7,
    };
    let items = vec![item("c1", Some("ada"), Some("yes")), item("c2", None, None)];
    let states = |is_snapshot, items| Response::GroupStates { group: "g".to_owned(), is_snapshot, items };
    assert_eq!(
        encode_response(&states(false, items)),
        r#"{"type":"groupStateUpdate","group":"g","items":[{"connectionId":"c1","userId":"ada","state":{"typ\"ing":"yes"},"updatedAt":7},{"connectionId":"c2","updatedAt":7}]}"#
    );
    assert_eq!(
        encode_response(&states(true, vec![])),
        r#"{"type":"groupStateSnapshot","group":"g","items":[]}"#
    );
}
