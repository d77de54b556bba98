//! Queue between the driver and one consumer, bounded by number and size.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::control::Control;
use crate::limits::Limits;

/// An item of a queue.
pub(crate) trait Queued {
    /// Returns its size in bytes.
    fn bytes(&self) -> usize;
}

/// Bounds of a queue. One item more than fits is possible, so that a long message does not wait forever.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

impl Capacity {
    pub(crate) fn of(limits: &Limits) -> Self {
        Self { items: limits.queued_messages, bytes: limits.queued_bytes }
    }
}

#[derive(Debug)]
struct Content<T> {
    items: VecDeque<T>,
    bytes: usize,
    /// What happened while the queue was full. Follows the items.
    overflow: Vec<T>,
    consumer: Option<Waker>,
    is_closed: bool,
    is_abandoned: bool,
}

#[derive(Debug)]
struct Queue<T> {
    content: Mutex<Content<T>>,
    capacity: Capacity,
    control: Arc<Control>,
}

impl<T> Queue<T> {
    /// No code panics while it holds the lock.
    fn content(&self) -> MutexGuard<'_, Content<T>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_full(&self, content: &Content<T>) -> bool {
        content.items.len() >= self.capacity.items || content.bytes >= self.capacity.bytes
    }
}

/// Creates an empty queue. `control` is notified when a full queue has capacity again, and when the consumer is gone.
pub(crate) fn queue<T: Queued>(
    capacity: Capacity,
    control: Arc<Control>,
) -> (QueueSender<T>, QueueReceiver<T>) {
    let content = Content {
        items: VecDeque::new(),
        bytes: 0,
        overflow: Vec::new(),
        consumer: None,
        is_closed: false,
        is_abandoned: false,
    };
    let queue = Arc::new(Queue { content: Mutex::new(content), capacity, control });
    (QueueSender(Arc::clone(&queue)), QueueReceiver(queue))
}

/// The driver's end of a queue. Dropping it ends the queue behind its last item.
#[derive(Debug)]
pub(crate) struct QueueSender<T: Queued>(Arc<Queue<T>>);

impl<T: Queued> QueueSender<T> {
    /// Appends an item, whether or not there is capacity. Returns whether the queue is full then: the caller must not let more
    /// items arise, until the control is notified.
    pub(crate) fn push(&self, item: T) -> bool {
        let mut content = self.0.content();
        if content.is_abandoned {
            return false;
        }
        content.bytes += item.bytes();
        content.items.push_back(item);
        let is_full = self.0.is_full(&content);
        wake(content);
        is_full
    }

    /// Appends an item if there is capacity, and otherwise merges it into what happened since the queue was full, which must stay
    /// bounded.
    pub(crate) fn push_or_merge(&self, item: T, merge: impl FnOnce(&mut Vec<T>, T)) {
        let mut content = self.0.content();
        if content.is_abandoned {
            return;
        }
        if self.0.is_full(&content) {
            merge(&mut content.overflow, item);
            return;
        }
        let overflow = std::mem::take(&mut content.overflow);
        content.bytes += item.bytes();
        content.items.extend(overflow);
        content.items.push_back(item);
        wake(content);
    }

    pub(crate) fn is_full(&self) -> bool {
        let content = self.0.content();
        !content.is_abandoned && self.0.is_full(&content)
    }

    /// Whether the consumer is gone.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.content().is_abandoned
    }
}

fn wake<T>(mut content: MutexGuard<'_, Content<T>>) {
    let consumer = content.consumer.take();
    drop(content);
    if let Some(consumer) = consumer {
        consumer.wake();
    }
}

impl<T: Queued> Drop for QueueSender<T> {
    fn drop(&mut self) {
        let mut content = self.0.content();
        content.is_closed = true;
        wake(content);
    }
}

/// The consumer's end of a queue.
#[derive(Debug)]
pub(crate) struct QueueReceiver<T: Queued>(Arc<Queue<T>>);

impl<T: Queued> QueueReceiver<T> {
    /// Returns the next item; `None` at the end.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut content = self.0.content();
        let was_full = self.0.is_full(&content);
        if let Some(item) = content.items.pop_front() {
            content.bytes = content.bytes.saturating_sub(item.bytes());
            if was_full && !self.0.is_full(&content) {
                drop(content);
                self.0.control.wake();
            }
            return Poll::Ready(Some(item));
        }
        if !content.overflow.is_empty() {
            return Poll::Ready(Some(content.overflow.remove(0)));
        }
        if content.is_closed {
            return Poll::Ready(None);
        }
        if !content.consumer.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            content.consumer = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl<T: Queued> Drop for QueueReceiver<T> {
    fn drop(&mut self) {
        let mut content = self.0.content();
        content.is_abandoned = true;
        content.bytes = 0;
        let (items, overflow) = (std::mem::take(&mut content.items), std::mem::take(&mut content.overflow));
        drop(content);
        drop((items, overflow));
        self.0.control.wake();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    impl Queued for usize {
        fn bytes(&self) -> usize {
            *self
        }
    }

    fn pair(items: usize, bytes: usize) -> (QueueSender<usize>, QueueReceiver<usize>, Arc<Control>) {
        let control = Arc::new(Control::default());
        let (sender, receiver) = queue(Capacity { items, bytes }, Arc::clone(&control));
        (sender, receiver, control)
    }

    fn next(receiver: &mut QueueReceiver<usize>) -> Option<Option<usize>> {
        std::future::poll_fn(|context| receiver.poll_next(context)).now_or_never()
    }

    #[test]
    fn a_queue_is_full_by_number_or_by_bytes_and_reports_capacity() {
        for (capacity, item) in [((2, 1000), 1), ((1000, 2), 1)] {
            let (sender, mut receiver, control) = pair(capacity.0, capacity.1);
            sender.push(item);
            assert!(!sender.is_full());
            sender.push(item);
            assert!(sender.is_full());
            assert!(control.woken().now_or_never().is_none());
            assert_eq!(next(&mut receiver), Some(Some(item)));
            assert!(!sender.is_full() && control.woken().now_or_never().is_some());
        }
    }

    #[test]
    fn an_item_longer_than_the_queue_is_delivered() {
        let (sender, mut receiver, _) = pair(10, 10);
        sender.push_or_merge(1000, |_, _| panic!("there is capacity"));
        assert!(sender.is_full());
        assert_eq!(next(&mut receiver), Some(Some(1000)));
        assert!(!sender.is_full());
    }

    #[test]
    fn what_does_not_fit_is_merged_and_keeps_its_place() {
        let merge = |overflow: &mut Vec<usize>, item: usize| match overflow.first_mut() {
            Some(sum) => *sum += item,
            None => overflow.push(item),
        };
        let (sender, mut receiver, _) = pair(2, 1000);
        for item in 1..=4 {
            sender.push_or_merge(item, merge);
        }
        assert_eq!(next(&mut receiver), Some(Some(1)));
        sender.push_or_merge(5, merge);
        for item in [2, 7, 5] {
            assert_eq!(next(&mut receiver), Some(Some(item)));
        }
        assert_eq!(next(&mut receiver), None);
    }

    #[test]
    fn either_end_notices_that_the_other_is_gone() {
        let (sender, mut receiver, _) = pair(2, 2);
        sender.push(1);
        drop(sender);
        assert_eq!((next(&mut receiver), next(&mut receiver)), (Some(Some(1)), Some(None)));
        let (sender, receiver, control) = pair(1, 1);
        sender.push(1);
        drop(receiver);
        assert!(sender.is_abandoned() && !sender.is_full() && control.woken().now_or_never().is_some());
    }
}
