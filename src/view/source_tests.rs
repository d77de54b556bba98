//! Several sources, in a browser.

use wasm_bindgen_test::wasm_bindgen_test;
use webpubsub_client::{ClientEvent, Disconnect};
use webpubsub_protocol::{message::Metadata, name::GroupName, payload::Payload, subprotocol::Subprotocol};

use super::super::{client::Told, test_page::TestPage};
use crate::model::line_store::StoreLimits;

fn connected(page: &TestPage, connection: usize, groups: &[&str]) {
    let (connection_id, user_id, subprotocol) = ("c1".into(), None, Subprotocol::ReliableJson);
    page.tell_of(connection, Told::Event(ClientEvent::Connected { connection_id, user_id, subprotocol }));
    for group in groups {
        let group = GroupName::new(group).unwrap();
        page.tell_of(connection, Told::Event(ClientEvent::Joined { group }));
    }
}

fn receive(page: &TestPage, connection: usize, group: &str, text: &'static str) {
    let (payload, metadata) = (Payload::Text(text.into()), Metadata::new());
    let event = ClientEvent::GroupMessage {
        group: group.into(),
        from_user_id: None,
        payload,
        metadata,
        stream: None,
    };
    page.tell_of(connection, Told::Event(event));
}

/// Groups `web` and `db` on one connection, `ci` on another.
async fn page_of_three() -> TestPage {
    let href = "http://h/?group=web,db&negotiate=/one&negotiate=%2Ftwo%3Fgroup%3Dci";
    let page = TestPage::at(href, StoreLimits::default()).await;
    connected(&page, 0, &["web", "db"]);
    connected(&page, 1, &["ci"]);
    receive(&page, 0, "web", "from web");
    receive(&page, 1, "ci", "from ci");
    receive(&page, 0, "db", "from db");
    page.painted().await;
    page
}

#[wasm_bindgen_test]
async fn lines_of_several_sources_are_merged_and_each_bears_its_name() {
    let page = page_of_three().await;
    assert_eq!(page.clients(), 2);
    assert_eq!(page.texts(), ["from web", "from ci", "from db"]);
    let tags: Vec<String> = page.all(".row .tag").iter().filter_map(|tag| tag.text_content()).collect();
    assert_eq!(tags, ["web", "ci", "db"]);
    let colors: Vec<_> =
        page.all(".row .tag").iter().filter_map(|tag| tag.get_attribute("data-source")).collect();
    assert_eq!(colors, ["0", "2", "1"]);
    assert_eq!(page.text("#status"), "Connected · 3 sources");
}

#[wasm_bindgen_test]
async fn a_source_is_switched_off_and_on_and_its_lines_are_kept() {
    let page = page_of_three().await;
    page.get(".source[data-source='2']").click();
    page.painted().await;
    assert_eq!(page.texts(), ["from web", "from db"]);
    assert_eq!(page.attribute(".source[data-source='2']", "aria-pressed"), "false");
    receive(&page, 1, "ci", "meanwhile");
    page.painted().await;
    assert_eq!(page.texts().len(), 2);
    page.get(".source[data-source='2']").click();
    page.painted().await;
    assert_eq!(page.texts(), ["from web", "from ci", "from db", "meanwhile"]);
}

#[wasm_bindgen_test]
async fn a_source_whose_connection_is_lost_says_so_and_is_the_only_one_tried_again() {
    let page = page_of_three().await;
    let reason = Disconnect::Dropped { code: 1006, reason: String::new() };
    page.tell_of(1, Told::Event(ClientEvent::Disconnected { reason }));
    page.tell_of(1, Told::Event(ClientEvent::Stopped));
    page.painted().await;
    assert_eq!(page.attribute(".source[data-source='0']", "data-state"), "connected");
    assert_eq!(page.attribute(".source[data-source='2']", "data-state"), "failed");
    assert!(page.text("#status").starts_with("ci: Not connected"), "{}", page.text("#status"));
    page.get("#retry").click();
    assert_eq!(page.clients(), 3);
    connected(&page, 1, &["ci"]);
    page.painted().await;
    assert_eq!(page.attribute("#status", "data-state"), "connected");
    assert!(page.texts().last().unwrap().starts_with("ci: connection lost"), "{:?}", page.texts());
}

#[wasm_bindgen_test]
async fn one_source_needs_neither_switch_nor_name() {
    let page = TestPage::new(StoreLimits::default()).await;
    page.connect();
    page.receive("a");
    page.painted().await;
    assert_eq!((page.count(".source"), page.count(".tag")), (0, 0));
}
