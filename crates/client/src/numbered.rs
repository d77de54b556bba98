//! Things by number, in the order of their numbers.
//!
//! Numbers are given in ascending order and most things go in the order in which they came, so a queue serves: faster than a
//! tree, and far less code in a page.

use std::collections::VecDeque;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Numbered<T>(VecDeque<(u64, T)>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Numbered<T> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts a thing in its place, in that of the one with its number if there is one.
    pub(crate) fn insert(&mut self, number: u64, thing: T) {
        let place = self.0.partition_point(|(other, _)| *other < number);
        match self.0.get_mut(place) {
            Some((other, old)) if *other == number => *old = thing,
            _ => self.0.insert(place, (number, thing)),
        }
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let place = self.place_of(number)?;
        self.0.get_mut(place).map(|(_, thing)| thing)
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<T> {
        let place = self.place_of(number)?;
        self.0.remove(place).map(|(_, thing)| thing)
    }

    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(&T) -> bool) {
        self.0.retain(|(_, thing)| keeps(thing));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.0.iter().map(|(number, thing)| (*number, thing))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut T)> {
        self.0.iter_mut().map(|(number, thing)| (*number, thing))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, thing)| thing)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(|(_, thing)| thing)
    }

    /// Takes all out; gives their numbers.
    pub(crate) fn take_numbers(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.0).into_iter().map(|(number, _)| number).collect()
    }

    fn place_of(&self, number: u64) -> Option<usize> {
        self.0.binary_search_by_key(&number, |(number, _)| *number).ok()
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(steps in prop::collection::vec((any::<bool>(), 0..20_u64, any::<u8>()), 0..100)) {
            let (mut ours, mut theirs) = (Numbered::default(), BTreeMap::new());
            for (inserts, number, thing) in steps {
                if inserts {
                    ours.insert(number, thing);
                    theirs.insert(number, thing);
                } else {
                    prop_assert_eq!(ours.remove(number), theirs.remove(&number));
                }
                prop_assert_eq!(ours.get_mut(number), theirs.get_mut(&number));
                prop_assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), theirs.is_empty()));
                prop_assert!(ours.iter().eq(theirs.iter().map(|(number, thing)| (*number, thing))));
            }
        }
    }
}
