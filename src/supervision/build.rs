//! From a declaration to the nodes that the control loop works on.

use super::cell::{AnyCell, CellControl};
use super::clock::Moment;
use super::control::SupervisorId;
use super::decl::{ChildDecl, SupervisorDecl};
use super::machine::{ChildId, ChildRules, Epoch, Machine, Origin};
use super::overrides::ChildOverride;
use super::snapshot::NodeCard;
use super::spec::{HangLimits, SpecError, SupervisorSpec, check_name};
use super::tree::{BuildError, Shared};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One supervisor.
pub(super) struct SupervisorNode {
    pub(super) spec: SupervisorSpec,
    pub(super) machine: Machine,
    pub(super) parent: Option<(SupervisorId, ChildId)>,
    pub(super) epoch: Epoch,
    pub(super) kids: BTreeMap<ChildId, Kid>,
    pub(super) card: Arc<NodeCard>,
}

/// One child of a supervisor.
pub(super) struct Kid {
    pub(super) card: Arc<NodeCard>,
    pub(super) kind: KidKind,
}

pub(super) enum KidKind {
    Cell(Box<dyn CellControl>, HangLimits),
    Supervisor(SupervisorId),
}

impl Kid {
    pub(super) fn cell(path: String, cell: AnyCell, shared: &Shared) -> Self {
        let control = (cell.make)(&cell.spec);
        let ledger = control.ledger();
        ledger.attach(shared.coarse.clone(), shared.deadlines.clone());
        let card = NodeCard::worker(path, &cell.spec, ledger, shared.clock.now());
        Self { card, kind: KidKind::Cell(control, cell.spec.hang) }
    }
}

/// All supervisors of a tree; the root is the first.
#[derive(Default)]
pub(super) struct Supervisors(Vec<SupervisorNode>);

impl Supervisors {
    pub(super) fn get(&self, id: SupervisorId) -> Option<&SupervisorNode> {
        self.0.get(id.0)
    }

    pub(super) fn get_mut(&mut self, id: SupervisorId) -> Option<&mut SupervisorNode> {
        self.0.get_mut(id.0)
    }

    pub(super) fn kid(&self, id: SupervisorId, child: ChildId) -> Option<&Kid> {
        self.get(id)?.kids.get(&child)
    }

    pub(super) fn kid_mut(&mut self, id: SupervisorId, child: ChildId) -> Option<&mut Kid> {
        self.get_mut(id)?.kids.get_mut(&child)
    }

    pub(super) fn remove_kid(&mut self, id: SupervisorId, child: ChildId) -> Option<Kid> {
        self.get_mut(id)?.kids.remove(&child)
    }

    pub(super) fn next_wake(&self) -> Option<Moment> {
        self.0.iter().filter_map(|node| node.machine.next_wake()).min()
    }

    pub(super) fn due(&self, now: Moment) -> Vec<SupervisorId> {
        let due = |(_, node): &(usize, &SupervisorNode)| node.machine.next_wake().is_some_and(|at| at <= now);
        self.0.iter().enumerate().filter(due).map(|(index, _)| SupervisorId(index)).collect()
    }

    pub(super) fn find(&self, path: &str) -> Option<SupervisorId> {
        self.0.iter().position(|node| node.card.path() == path).map(SupervisorId)
    }

    pub(super) fn find_child(&self, path: &str) -> Option<(SupervisorId, ChildId)> {
        let (parent, _) = path.rsplit_once('/')?;
        let id = self.find(parent)?;
        let kid = self.get(id)?.kids.iter().find(|(_, kid)| kid.card.path() == path)?;
        Some((id, *kid.0))
    }

    /// Living incarnations on one generation of a shared arbiter.
    pub(super) fn living_on(&self, name: &str, generation: u64) -> Vec<(SupervisorId, ChildId, Epoch)> {
        let mut found = Vec::new();
        for (index, node) in self.0.iter().enumerate() {
            for (child, kid) in &node.kids {
                let KidKind::Cell(cell, _) = &kid.kind else { continue };
                let here = cell.shares().is_some_and(|(n, g)| n == name && g == generation);
                let living = node.machine.child(*child).filter(|status| status.state.is_live());
                if let (true, Some(status)) = (here, living) {
                    found.push((SupervisorId(index), *child, status.epoch));
                }
            }
        }
        found
    }

    /// Every cell at or below a child.
    pub(super) fn each_cell_below(
        &mut self,
        id: SupervisorId,
        child: ChildId,
        act: &mut dyn FnMut(&mut dyn CellControl),
    ) {
        match self.kid_mut(id, child).map(|kid| &mut kid.kind) {
            Some(KidKind::Cell(cell, _)) => act(cell.as_mut()),
            Some(KidKind::Supervisor(below)) => {
                let below = *below;
                let children: Vec<ChildId> =
                    self.get(below).map(|node| node.kids.keys().copied().collect()).unwrap_or_default();
                for child in children {
                    self.each_cell_below(below, child, act);
                }
            }
            None => {}
        }
    }

    pub(super) fn every_cell(&mut self, act: &mut dyn FnMut(&mut dyn CellControl)) {
        for node in &mut self.0 {
            for kid in node.kids.values_mut() {
                if let KidKind::Cell(cell, _) = &mut kid.kind {
                    act(cell.as_mut());
                }
            }
        }
    }
}

/// Validates the declaration, applies the overrides and builds every node.
pub(super) fn tree(root: SupervisorDecl, shared: &Shared) -> Result<Supervisors, BuildError> {
    check_name(&root.name)?;
    if let Some(refused) = root.check_overrides(&shared.options.overrides).into_iter().next() {
        return Err(refused.into());
    }
    let mut builder = Builder { shared, supervisors: Supervisors::default() };
    let path = root.name.clone();
    builder.supervisor(root, &path, None)?;
    Ok(builder.supervisors)
}

struct Builder<'a> {
    shared: &'a Shared,
    supervisors: Supervisors,
}

impl Builder<'_> {
    fn supervisor(
        &mut self,
        mut decl: SupervisorDecl,
        path: &str,
        parent: Option<(SupervisorId, ChildId)>,
    ) -> Result<SupervisorId, BuildError> {
        if let Some(set) = self.override_for(path) {
            set.apply_to_supervisor(&mut decl.spec);
        }
        let auto = parent.and_then(|(id, _)| self.supervisors.get(id)).map(|n| n.spec.auto_shutdown);
        decl.spec.validate(path, auto)?;
        if decl.children.len() > decl.spec.children_max {
            let too_many = SpecError::TooManyChildren { path: path.to_owned(), max: decl.spec.children_max };
            return Err(too_many.into());
        }
        let id = SupervisorId(self.supervisors.0.len());
        let seed = self.shared.options.jitter_seed ^ fnv(path);
        let card = NodeCard::supervisor(path.to_owned(), &decl.spec, self.shared.clock.now());
        self.shared.cards.add(Arc::clone(&card));
        let machine = Machine::new(&decl.spec, seed);
        let spec = decl.spec;
        self.supervisors.0.push(SupervisorNode {
            spec,
            machine,
            parent,
            epoch: 0,
            kids: BTreeMap::new(),
            card,
        });
        let mut names = BTreeSet::new();
        for child in decl.children {
            self.child(child, id, path, &mut names)?;
        }
        Ok(id)
    }

    fn child(
        &mut self,
        child: ChildDecl,
        parent: SupervisorId,
        parent_path: &str,
        names: &mut BTreeSet<String>,
    ) -> Result<(), BuildError> {
        let name = match &child {
            ChildDecl::Cell(cell) => cell.name.clone(),
            ChildDecl::Supervisor(below) => below.name.clone(),
        };
        check_name(&name)?;
        if !names.insert(name.clone()) {
            return Err(SpecError::DuplicateName { supervisor: parent_path.to_owned(), name }.into());
        }
        let path = format!("{parent_path}/{name}");
        match child {
            ChildDecl::Cell(mut cell) => {
                let set = self.override_for(&path);
                let Some(node) = self.supervisors.get_mut(parent) else { return Ok(()) };
                if let Some(set) = set {
                    set.apply(&mut cell.spec, node.spec.intensity);
                }
                cell.spec.validate(&path, node.spec.auto_shutdown)?;
                let id = node.machine.declare(ChildRules::worker(&name, &cell.spec, Origin::Declared));
                let kid = Kid::cell(path, cell, self.shared);
                self.shared.cards.add(Arc::clone(&kid.card));
                node.kids.insert(id, kid);
            }
            ChildDecl::Supervisor(mut below) => {
                // Its own node applies the rest; the parent's machine must know the delay between restarts.
                if let Some(set) = self.override_for(&path) {
                    set.apply_to_supervisor(&mut below.spec);
                }
                let Some(node) = self.supervisors.get_mut(parent) else { return Ok(()) };
                let child = node.machine.declare(ChildRules::supervisor(&name, &below.spec));
                let id = self.supervisor(below, &path, Some((parent, child)))?;
                let card = self.supervisors.get(id).map(|n| Arc::clone(&n.card));
                if let (Some(card), Some(node)) = (card, self.supervisors.get_mut(parent)) {
                    node.kids.insert(child, Kid { card, kind: KidKind::Supervisor(id) });
                }
            }
        }
        Ok(())
    }

    fn override_for(&self, path: &str) -> Option<ChildOverride> {
        self.shared.options.overrides.get(below_root(path)).copied()
    }
}

/// The path without the root's name; the root itself is addressed by its name.
fn below_root(path: &str) -> &str {
    path.split_once('/').map_or(path, |(_, below)| below)
}

/// FNV-1a, so that siblings under one seed do not draw the same jitter.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
