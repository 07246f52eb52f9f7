//! Distributes the roles of a grant among its places: the inline policy, and managed policies for what does not fit.
//!
//! A role stays where it is while it fits there, so that a growing grant adds policies and changes no role that works. A
//! place that must give up a role gets no other one. So whatever gets roles gives up none, and can be written first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::iam::arn::RoleArn;
use crate::iam::templates;

/// A place of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The inline policy.
    Inline,
    /// A managed policy, by number.
    Managed(u32),
}

/// How much fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// The characters that the principal's other inline policies leave.
    pub inline: usize,
    /// The characters of one managed policy.
    pub managed: usize,
    /// How many managed policies may be attached.
    pub policies: usize,
}

impl Room {
    fn of(&self, place: Place) -> usize {
        match place {
            Place::Inline => self.inline,
            Place::Managed(_) => self.managed,
        }
    }
}

/// The roles in each place that has any.
pub type Distribution = BTreeMap<Place, BTreeSet<RoleArn>>;

/// Returns where each of the wanted roles goes; `found` is where they are now. `None` if they do not fit.
#[must_use]
pub fn distribute(
    found: &Distribution,
    wanted: &BTreeSet<RoleArn>,
    with_session_tags: &BTreeSet<RoleArn>,
    room: Room,
) -> Option<Distribution> {
    let mut boxes: BTreeMap<Place, Filled> = BTreeMap::from([(Place::Inline, Filled::default())]);
    let mut left = wanted.clone();
    for (place, roles) in found {
        let filled = boxes.entry(*place).or_default();
        for role in roles.intersection(&left.clone()) {
            match filled.take(role, with_session_tags, room.of(*place)) {
                true => _ = left.remove(role),
                false => filled.is_closed = true,
            }
        }
    }
    for role in left {
        let mut open = boxes.iter_mut();
        if open.any(|(place, filled)| filled.take(&role, with_session_tags, room.of(*place))) {
            continue;
        }
        let number = (1..).find(|number| !boxes.contains_key(&Place::Managed(*number)))?;
        let mut filled = Filled::default();
        if !filled.take(&role, with_session_tags, room.managed) {
            return None;
        }
        boxes.insert(Place::Managed(number), filled);
    }
    while let Some(fewer) = with_one_less(&boxes, with_session_tags, room) {
        boxes = fewer;
    }
    boxes.retain(|_, filled| !filled.roles.is_empty());
    let managed = boxes.keys().filter(|place| **place != Place::Inline).count();
    (managed <= room.policies).then(|| boxes.into_iter().map(|(place, filled)| (place, filled.roles)).collect())
}

/// Returns about how many more roles fit, if their ARNs are as long as those of the roles here on average.
#[must_use]
pub fn left(places: &Distribution, with_session_tags: &BTreeSet<RoleArn>, room: Room) -> usize {
    let filled = |roles: &BTreeSet<RoleArn>| {
        let mut filled = Filled::default();
        roles.iter().for_each(|role| filled.add(role, with_session_tags));
        filled
    };
    let filled: BTreeMap<_, _> = places.iter().map(|(place, roles)| (*place, filled(roles))).collect();
    let roles: usize = filled.values().map(|filled| filled.roles.len()).sum();
    let characters: usize = filled.values().map(|filled| filled.listed + filled.with_session_tags).sum();
    if roles == 0 {
        return 0;
    }
    let each = characters.div_ceil(roles);
    let is_used = |place: &Place| filled.contains_key(place);
    let managed = filled.keys().filter(|place| **place != Place::Inline).count();
    let new = (0..room.policies.saturating_sub(managed)).map(|_| room.managed);
    let new = new.chain((!is_used(&Place::Inline)).then_some(room.inline));
    let is_tagged = filled.values().any(|filled| filled.with_session_tags > 0);
    let frame = Filled { listed: 1, with_session_tags: usize::from(is_tagged), ..Filled::default() }.size();
    let old = filled.iter().map(|(place, filled)| room.of(*place).saturating_sub(filled.size()));
    old.chain(new.map(|size| size.saturating_sub(frame))).map(|free| free / each).sum()
}

/// Returns the same roles with one managed policy less: the smallest whose roles fit elsewhere.
fn with_one_less(
    boxes: &BTreeMap<Place, Filled>,
    with_session_tags: &BTreeSet<RoleArn>,
    room: Room,
) -> Option<BTreeMap<Place, Filled>> {
    let is_in_use = |(place, filled): &(&Place, &Filled)| **place != Place::Inline && !filled.roles.is_empty();
    let mut candidates: Vec<_> = boxes.iter().filter(is_in_use).collect();
    candidates.sort_by_key(|(place, filled)| (filled.size(), std::cmp::Reverse(**place)));
    let free = |(place, filled): (&Place, &Filled)| room.of(*place).saturating_sub(filled.size());
    candidates.into_iter().find_map(|(place, emptied)| {
        // Most do not fit by far.
        let others = boxes.iter().filter(|(other, _)| *other != place);
        if others.map(free).sum::<usize>() < emptied.listed {
            return None;
        }
        let mut boxes = boxes.clone();
        boxes.insert(*place, Filled { is_closed: true, ..Filled::default() });
        emptied
            .roles
            .iter()
            .all(|role| {
                let mut others =
                    boxes.iter_mut().filter(|(place, others)| **place == Place::Inline || !others.roles.is_empty());
                others.any(|(place, filled)| filled.take(role, with_session_tags, room.of(*place)))
            })
            .then_some(boxes)
    })
}

/// A place as it fills.
#[derive(Debug, Clone, Default)]
struct Filled {
    roles: BTreeSet<RoleArn>,
    /// The characters of the ARNs in each statement.
    listed: usize,
    with_session_tags: usize,
    /// Whether it had to give up a role, or is emptied.
    is_closed: bool,
}

impl Filled {
    /// Returns the characters of the document; at most two more than it has, because a list of one needs no brackets.
    fn size(&self) -> usize {
        let statement = |listed: usize, frame: usize| if listed == 0 { 0 } else { frame + listed };
        FRAMES.document
            + statement(self.listed, FRAMES.link)
            + statement(self.with_session_tags, FRAMES.with_session_tags)
    }

    /// Takes a role, if it fits.
    fn take(&mut self, role: &RoleArn, with_session_tags: &BTreeSet<RoleArn>, most: usize) -> bool {
        if self.is_closed {
            return false;
        }
        let before = (self.listed, self.with_session_tags);
        self.add(role, with_session_tags);
        let fits = self.size() <= most;
        if !fits {
            self.roles.remove(role);
            (self.listed, self.with_session_tags) = before;
        }
        fits
    }

    fn add(&mut self, role: &RoleArn, with_session_tags: &BTreeSet<RoleArn>) {
        let listed = listed(role);
        self.listed += listed;
        self.with_session_tags += if with_session_tags.contains(role) { listed } else { 0 };
        self.roles.insert(role.clone());
    }
}

/// Returns the characters of a role in a list: its ARN in quotes, and a comma.
fn listed(role: &RoleArn) -> usize {
    serde_json::Value::from(role.to_string()).to_string().len() + 1
}

/// The characters of a grant beside the roles that it lists.
struct Frames {
    document: usize,
    link: usize,
    with_session_tags: usize,
}

static FRAMES: LazyLock<Frames> = LazyLock::new(|| {
    let role = |name: &str| format!("arn:aws:iam::222222222222:role/{name}").parse().ok();
    let two: BTreeSet<RoleArn> = ["a", "b"].into_iter().filter_map(role).collect();
    let none = BTreeSet::new();
    let roles: usize = two.iter().map(listed).sum();
    let empty = templates::grant(&none, &none).size();
    let frame = |size: usize| size.saturating_sub(empty + roles);
    let link = frame(templates::grant(&two, &none).size());
    // One more comma separates two statements.
    let both = templates::grant(&two, &two).size();
    Frames { document: empty, link, with_session_tags: both.saturating_sub(empty + link + 2 * roles) }
});

#[cfg(test)]
mod tests;
