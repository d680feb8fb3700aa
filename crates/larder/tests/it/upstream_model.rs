//! Resolution and retention against a reference model that follows reference 3.2-3.5 and 4.1 word by word.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use crate::world::{World, tarball};

const REPOSITORIES: usize = 5;
const VERSIONS: [&str; 3] = ["1.0.0", "2.0.0", "3.0.0"];

#[derive(Debug, Clone)]
enum Step {
    Publish { repository: usize, version: usize },
    Download { repository: usize, version: usize },
}

/// A graph (links lead to later repositories), which of them have the connection, what the registry has, and steps.
#[derive(Debug, Clone)]
struct Scenario {
    links: Vec<Vec<usize>>,
    connected: Vec<bool>,
    registry: Vec<usize>,
    steps: Vec<Step>,
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let links = proptest::collection::vec(proptest::collection::vec(0..REPOSITORIES, 0..3), REPOSITORIES);
    let connected = proptest::collection::vec(any::<bool>(), REPOSITORIES);
    let registry = proptest::sample::subsequence(vec![0, 1, 2], 0..=3);
    let step = (any::<bool>(), 0..REPOSITORIES, 0..VERSIONS.len()).prop_map(|(publish, repository, version)| {
        if publish { Step::Publish { repository, version } } else { Step::Download { repository, version } }
    });
    (links, connected, registry, proptest::collection::vec(step, 1..10)).prop_map(
        |(mut links, mut connected, registry, steps)| {
            for (from, targets) in links.iter_mut().enumerate() {
                targets.retain(|to| *to > from);
                let mut seen = BTreeSet::new();
                targets.retain(|to| seen.insert(*to));
                // Upstreams or a connection, not both.
                connected[from] &= targets.is_empty();
            }
            Scenario { links, connected, registry, steps }
        },
    )
}

/// One repository's package record.
#[derive(Debug, Clone, Default)]
struct Record {
    /// Version to the bytes it stands for.
    versions: BTreeMap<usize, String>,
    /// `(may publish, may take from upstream)`; `None` without a record.
    settings: Option<(bool, bool)>,
}

struct Model<'a> {
    scenario: &'a Scenario,
    records: Vec<Record>,
}

impl Model<'_> {
    fn takes_upstream(&self, repository: usize) -> bool {
        self.records[repository].settings.is_none_or(|(_, upstream)| upstream)
    }

    /// The bytes and who supplies them: a repository, or the connection of one.
    fn find(&self, repository: usize, version: usize, seen: &mut BTreeSet<usize>) -> Option<(String, usize, bool)> {
        if !seen.insert(repository) {
            return None;
        }
        if let Some(bytes) = self.records[repository].versions.get(&version) {
            return Some((bytes.clone(), repository, false));
        }
        if !self.takes_upstream(repository) {
            return None;
        }
        if self.scenario.connected[repository] && self.scenario.registry.contains(&version) {
            return Some((tarball(VERSIONS[version]), repository, true));
        }
        self.scenario.links[repository].iter().find_map(|upstream| self.find(*upstream, version, seen))
    }

    fn keep(&mut self, repository: usize, version: usize, bytes: &str) {
        let record = &mut self.records[repository];
        record.versions.entry(version).or_insert_with(|| bytes.to_owned());
        record.settings.get_or_insert((false, true));
    }

    fn download(&mut self, repository: usize, version: usize) -> Option<String> {
        let (bytes, source, external) = self.find(repository, version, &mut BTreeSet::new())?;
        if external {
            self.keep(source, version, &bytes);
        }
        self.keep(repository, version, &bytes);
        Some(bytes)
    }

    fn publish(&mut self, repository: usize, version: usize) -> bool {
        if self.records[repository].settings.is_some_and(|(publish, _)| !publish)
            || self.find(repository, version, &mut BTreeSet::new()).is_some()
        {
            return false;
        }
        let record = &mut self.records[repository];
        record.versions.insert(version, format!("r{repository}'s bytes of {}", VERSIONS[version]));
        record.settings.get_or_insert((true, false));
        true
    }
}

async fn check(scenario: &Scenario) -> Result<(), TestCaseError> {
    let world = World::new(Duration::from_secs(600)).await;
    *world.registry.versions.lock().unwrap() =
        scenario.registry.iter().map(|version| VERSIONS[*version].to_owned()).collect();
    let names: Vec<String> = (0..REPOSITORIES).map(|repository| format!("r{repository}")).collect();
    for repository in (0..REPOSITORIES).rev() {
        let upstreams: Vec<&str> = scenario.links[repository].iter().map(|to| names[*to].as_str()).collect();
        world.create_repository(&names[repository], &upstreams, scenario.connected[repository]).await;
    }
    let mut model = Model { scenario, records: vec![Record::default(); REPOSITORIES] };
    for step in &scenario.steps {
        match *step {
            Step::Publish { repository, version } => {
                let published = world.publish(&names[repository], VERSIONS[version]).await;
                prop_assert_eq!(published.is_ok(), model.publish(repository, version), "{:?}: {:?}", step, published);
            }
            Step::Download { repository, version } => {
                let bytes = world.download(&names[repository], VERSIONS[version]).await;
                prop_assert_eq!(bytes.ok(), model.download(repository, version), "{:?}", step);
            }
        }
        for (repository, name) in names.iter().enumerate() {
            let expected: Vec<String> =
                model.records[repository].versions.keys().map(|version| VERSIONS[*version].to_owned()).collect();
            prop_assert_eq!(world.held(name).await, expected, "what {} holds after {:?}", name, step);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn resolution_and_retention_follow_the_reference(scenario in scenario()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(check(&scenario))?;
    }
}
