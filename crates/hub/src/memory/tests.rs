use proptest::prelude::*;

use super::*;

const MIB: usize = 1024 * 1024;

#[test]
fn shared_bytes_are_charged_once_and_given_back_with_the_last_clone() {
    let budget = MemoryBudget::default();
    let bytes = budget.charged(Bytes::from(vec![7; 5000]));
    let clones = [bytes.clone(), bytes.slice(10..20)];
    assert_eq!((budget.used(), &clones[1][..]), (5000, &[7; 10][..]));
    drop(bytes);
    assert_eq!(budget.used(), 5000);
    drop(clones);
    assert_eq!(budget.used(), 0);
}

#[test]
fn the_largest_clients_that_may_not_publish_are_evicted_first() {
    let budget = MemoryBudget::new(32 * MIB);
    let hold = |may_publish, mib: usize| {
        let mut charge = budget.client(may_publish).charge();
        assert!(charge.adjust(mib * MIB, mib * MIB));
        charge
    };
    let (publisher, small, large) = (hold(true, 12), hold(false, 2), hold(false, 9));
    assert_eq!(budget.refusals(), 0);
    let newest = hold(false, 6);
    let evicted = |charge: &MemoryCharge| charge.client().is_evicted();
    assert!(evicted(&large) && !evicted(&small) && !evicted(&publisher) && !evicted(&newest));
    assert_eq!(budget.refusals(), 1);
    // The evicted client has not ended yet.
    let another = hold(false, 1);
    assert_eq!(budget.refusals(), 1);
    drop((large, newest, small, another));
    assert_eq!(budget.clients().by_id.len(), 1);
    assert_eq!(budget.used(), 12 * MIB);
    let _shared = budget.charge(20 * MIB);
    assert!(evicted(&publisher), "publishers are evicted last");
}

#[test]
fn a_client_is_as_large_as_the_shared_messages_that_wait_for_it() {
    let budget = MemoryBudget::new(32 * MIB);
    let (mut slow, mut other) = (budget.client(false).charge(), budget.client(false).charge());
    slow.adjust(1000, 8 * MIB);
    other.adjust(MIB, MIB);
    let _shared = budget.charge(27 * MIB + 1);
    assert!(slow.client().is_evicted() && !other.client().is_evicted());
}

#[test]
fn queues_cannot_grow_beyond_the_limit() {
    let budget = MemoryBudget::new(32 * MIB);
    let mut charge = budget.client(false).charge();
    assert!(charge.adjust(31 * MIB, 0));
    assert!(!charge.adjust(33 * MIB, 0));
    assert!(charge.adjust(0, 0));
    assert_eq!((budget.used(), budget.refusals()), (0, 2), "evicted, then refused");
}

#[tokio::test]
async fn an_evicted_client_is_notified() {
    let budget = MemoryBudget::new(32 * MIB);
    let client = budget.client(false);
    let mut charge = client.charge();
    let grow = async { charge.adjust(29 * MIB, 0) };
    let ((), _) = tokio::join!(client.evicted(), grow);
    client.evicted().await;
}

proptest! {
    #[test]
    fn a_charge_covers_its_queue_and_returns_everything(
        sizes in prop::collection::vec((0..200_000_usize, 0..200_000_usize), 1..40),
    ) {
        let budget = MemoryBudget::default();
        let client = budget.client(false);
        let mut charge = client.charge();
        for (own, queued) in sizes {
            prop_assert!(charge.adjust(own, queued));
            prop_assert!(own <= charge.bytes() + INCLUDED_BYTES && charge.bytes() < own + STEP_BYTES);
            prop_assert!(client.weight() >= charge.bytes() && client.weight() < own.max(queued) + STEP_BYTES);
            prop_assert_eq!(budget.used(), charge.bytes());
        }
        drop(charge);
        prop_assert_eq!((budget.used(), client.weight()), (0, 0));
    }
}
