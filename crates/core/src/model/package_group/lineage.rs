//! A group and what it inherits (reference 4.3).

use super::{PackageGroup, PackageGroupPattern, RestrictionMode, RestrictionType};

/// A group and its ancestors, the nearest first, the root last. Never empty.
#[derive(Debug, Clone)]
pub struct Lineage(Vec<PackageGroup>);

/// What holds for one way in.
#[derive(Debug, Clone, Copy)]
pub struct EffectiveRestriction<'a> {
    /// The group's own mode.
    pub mode: RestrictionMode,
    /// Never `Inherit`.
    pub effective_mode: RestrictionMode,
    /// The group whose mode, and whose list of repositories, holds: the group itself or the ancestor that it inherits
    /// from.
    pub set_by: &'a PackageGroup,
    /// Repositories on the group's own list.
    pub repositories_count: u64,
    inherits: bool,
}

impl<'a> EffectiveRestriction<'a> {
    /// The ancestor whose mode holds, if the group inherits.
    #[must_use]
    pub fn inherited_from(&self) -> Option<&'a PackageGroupPattern> {
        self.inherits.then_some(&self.set_by.pattern)
    }
}

impl Lineage {
    /// Takes a group and its ancestors, the nearest first; `None` if there is no group.
    #[must_use]
    pub fn new(groups: Vec<PackageGroup>) -> Option<Self> {
        (!groups.is_empty()).then_some(Self(groups))
    }

    /// The group itself.
    #[must_use]
    pub fn group(&self) -> &PackageGroup {
        &self.0[0]
    }

    /// The nearest group that covers it; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<&PackageGroup> {
        self.0.get(1)
    }

    /// The lineage of one of its children.
    #[must_use]
    pub fn child(&self, group: PackageGroup) -> Self {
        Self(std::iter::once(group).chain(self.0.iter().cloned()).collect())
    }

    /// What holds for one way in: the first setting that is not inherited. A root that inherits, which none may, blocks.
    #[must_use]
    pub fn effective(&self, restriction: RestrictionType) -> EffectiveRestriction<'_> {
        let mode = |group: &PackageGroup| group.restriction(restriction).mode;
        let decides = self.0.iter().position(|group| mode(group) != RestrictionMode::Inherit);
        let set_by = decides.map_or_else(|| &self.0[self.0.len() - 1], |index| &self.0[index]);
        EffectiveRestriction {
            mode: mode(self.group()),
            effective_mode: if decides.is_some() { mode(set_by) } else { RestrictionMode::Block },
            set_by,
            repositories_count: self.group().restriction(restriction).repositories_count,
            inherits: mode(self.group()) == RestrictionMode::Inherit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PackageGroupId, Restriction};
    use super::*;
    use crate::model::{DomainId, Timestamp};

    fn group(id: i64, pattern: &str, publish: RestrictionMode) -> PackageGroup {
        PackageGroup {
            id: PackageGroupId(id),
            domain: DomainId(1),
            parent: (id > 1).then_some(PackageGroupId(id - 1)),
            pattern: PackageGroupPattern::new(pattern).unwrap(),
            contact_info: None,
            description: None,
            created_at: Timestamp(0),
            restrictions: [Restriction { mode: publish, repositories_count: 0 }; 3],
        }
    }

    #[test]
    fn the_first_mode_that_is_not_inherited_holds() {
        use RestrictionMode::{Allow, AllowSpecificRepositories, Block, Inherit};
        let lineage = |modes: [RestrictionMode; 3]| {
            let patterns = ["/npm//react$", "/npm/*", "/*"];
            let groups = (1..).zip(patterns.iter().zip(modes));
            Lineage::new(groups.map(|(id, (pattern, mode))| group(id, pattern, mode)).collect()).unwrap()
        };
        for (modes, effective, inherited_from) in [
            ([Allow, Block, Block], Allow, None),
            ([Inherit, Block, Allow], Block, Some("/npm/*")),
            ([Inherit, Inherit, AllowSpecificRepositories], AllowSpecificRepositories, Some("/*")),
            ([Inherit, Inherit, Inherit], Block, Some("/*")),
        ] {
            let lineage = lineage(modes);
            let found = lineage.effective(RestrictionType::Publish);
            assert_eq!(found.effective_mode, effective, "{modes:?}");
            assert_eq!(found.inherited_from().map(PackageGroupPattern::as_str), inherited_from, "{modes:?}");
            assert_eq!(found.mode, modes[0]);
        }
    }
}
