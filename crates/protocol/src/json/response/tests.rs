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
