//! What a plan is run with besides itself: start data from outside, the bytes of its files, and where its items stood
//! in the plan before. A JSON document beside the plan, named in the journal by its hash, so that any of it may be long.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json};

use crate::base::Digest;

use super::super::graph::ItemId;

/// What a plan is run with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Start data that are not the plan's own: concept names with `{data, axes}`, as an inputs file has them.
    #[serde(default)]
    pub inputs: Arc<JsonMap<String, Json>>,
    /// The scripts and prompts the plan names, with the hash of their bytes; none for one that is not there.
    #[serde(default)]
    pub files: BTreeMap<String, Option<String>>,
    /// The paradigms the plan brings itself, with the hash of their files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paradigms: BTreeMap<String, String>,
    /// Where the items of the plan before stand in this one; none when the plan is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Vec<Moved>>,
}

/// A stretch of items that stand one after the other in both plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// The number of the first one in the plan before.
    pub from: u32,
    /// Its number now.
    pub to: u32,
    /// How many.
    pub count: u32,
}

impl Setting {
    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Maps of texts and plain numbers always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads its bytes.
    ///
    /// # Errors
    /// When they are no setting.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The hash of a file's bytes, none when it was not there or not named.
    pub fn file(&self, path: &str) -> Option<Digest> {
        self.files.get(path)?.as_deref()?.parse().ok()
    }

    /// Notes where items stand now: for each item of the plan before its number now.
    pub fn set_moved(&mut self, now: &[Option<ItemId>]) {
        let mut moved: Vec<Moved> = Vec::new();
        for (from, to) in now.iter().enumerate().filter_map(|(i, to)| Some((i as u32, to.as_ref()?.0))) {
            match moved.last_mut() {
                Some(last) if last.from + last.count == from && last.to + last.count == to => last.count += 1,
                _ => moved.push(Moved { from, to, count: 1 }),
            }
        }
        self.moved = Some(moved);
    }

    /// Where an item stood in the plan before.
    pub fn before(&self, now: ItemId) -> Option<ItemId> {
        let Some(moved) = &self.moved else { return Some(now) };
        let holds = |m: &&Moved| now.0.checked_sub(m.to).is_some_and(|offset| offset < m.count);
        moved.iter().find(holds).map(|m| ItemId(m.from + (now.0 - m.to)))
    }

    /// Where an item of the plan before stands now.
    pub fn now(&self, before: ItemId) -> Option<ItemId> {
        let Some(moved) = &self.moved else { return Some(before) };
        let at = moved.partition_point(|m| m.from <= before.0).checked_sub(1)?;
        let stretch = moved.get(at)?;
        let offset = before.0 - stretch.from;
        (offset < stretch.count).then(|| ItemId(stretch.to.saturating_add(offset)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_where_they_stand_now() {
        let now = [Some(0), Some(1), None, Some(5), Some(6), Some(2)].map(|n| n.map(ItemId));
        let mut setting = Setting::default();
        assert_eq!(setting.now(ItemId(7)), Some(ItemId(7)), "the same plan");
        setting.set_moved(&now);
        let again = Setting::from_bytes(&setting.to_bytes()).unwrap();
        assert_eq!(again, setting);
        assert_eq!(again.moved.as_ref().map(Vec::len), Some(3));
        for (before, now) in now.iter().enumerate() {
            assert_eq!(again.now(ItemId(before as u32)), *now);
            assert!(now.is_none_or(|now| again.before(now) == Some(ItemId(before as u32))));
        }
        assert_eq!(again.now(ItemId(6)), None);
    }
}
