//! Runs behaviours and judges the answers of a server.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::task::LocalSet;

use crate::differences::{self, Difference, Right};
use crate::scene::Scene;
use crate::server::{Name, Server};
use crate::sources::{RECORDED_HERE, Source};

/// A behaviour of AWS.
pub struct Behaviour {
    /// Its unique name.
    pub name: &'static str,
    /// Its source.
    pub source: Source,
    /// AWS's answer, in the format of [`crate::scene::told`].
    pub expected: &'static str,
    observe: Box<dyn Fn(Scene) -> LocalBoxFuture<'static, String>>,
}

/// A behaviour; `observe` sends requests and returns the server's answer.
pub fn behaviour<F>(name: &'static str, source: Source, expected: &'static str, observe: F) -> Behaviour
where
    F: AsyncFn(&Scene) -> String + Clone + 'static,
{
    let observe = move |scene: Scene| {
        let observe = observe.clone();
        async move { scene.masked(&observe(&scene).await) }.boxed_local()
    };
    Behaviour { name, source, expected, observe: Box::new(observe) }
}

impl Behaviour {
    /// Returns the answer of a server.
    pub async fn observed(&self, server: Rc<Server>) -> String {
        (self.observe)(Scene::open(server).await).await
    }

    /// Takes the answer that AWS itself gave, if one was recorded.
    pub fn as_recorded(mut self, answers: &BTreeMap<String, String>) -> Self {
        if let Some(answer) = answers.get(self.name) {
            self.expected = Box::leak(answer.clone().into_boxed_str());
            self.source = RECORDED_HERE;
        }
        self
    }

    /// Returns what is wrong with an observed answer, given the declared differences.
    fn judge(&self, observed: &str, declared: Option<&Difference>) -> Option<String> {
        let Self { name, expected, source: Source { kind, text }, .. } = self;
        let wanted = declared.map_or(*expected, |difference| difference.instead);
        if observed == wanted {
            return None;
        }
        let verdict = match declared {
            None => "an undeclared difference".to_owned(),
            Some(_) if observed == *expected => "a declared difference that no longer occurs".to_owned(),
            Some(Difference { instead, right, why, .. }) => {
                format!("not the declared difference, `{instead}` (right is: {right:?}. {why})")
            }
        };
        Some(format!("{name}: {verdict}\n    AWS:      {expected} ({kind:?}: {text})\n    observed: {observed}"))
    }
}

/// Runs all behaviours on a server concurrently, and fails with all wrong answers.
pub fn run(server: Server, behaviours: Vec<Behaviour>) {
    let count = behaviours.len();
    let server = Rc::new(server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let problems = LocalSet::new().block_on(&runtime, async {
        let observe = |behaviour: Behaviour| {
            let name = behaviour.name;
            let server = Rc::clone(&server);
            // A separate task, so that a panic during setup does not stop the others.
            let task = tokio::task::spawn_local(async move {
                let declared = differences::declared(name, server.name());
                let observed = (behaviour.observe)(Scene::open(server).await).await;
                behaviour.judge(&observed, declared)
            });
            (name, task)
        };
        let mut problems = Vec::new();
        for (name, task) in behaviours.into_iter().map(observe).collect::<Vec<_>>() {
            match task.await {
                Ok(problem) => problems.extend(problem),
                Err(panic) => problems.push(format!("{name}: {panic}")),
            }
        }
        problems
    });
    let (server, found) = (server.name(), problems.len());
    assert!(problems.is_empty(), "{found} of {count} behaviours on {server:?}:\n\n{}\n", problems.join("\n\n"));
}

#[test]
fn undeclared_and_obsolete_differences_fail() {
    let behaviour = behaviour("name", crate::sources::LIVE, "right", async |_| String::new());
    let wrong = Difference {
        behaviour: "name",
        server: Name::Ministack,
        instead: "wrong",
        right: Right::TheOther,
        why: "because",
    };
    let judge = |observed, declared| behaviour.judge(observed, declared).unwrap_or_default();
    assert_eq!(judge("right", None), "");
    assert!(judge("wrong", None).contains("an undeclared difference"));
    assert_eq!(judge("wrong", Some(&wrong)), "");
    assert!(judge("right", Some(&wrong)).contains("a declared difference that no longer occurs"));
    assert!(judge("worse", Some(&wrong)).contains("not the declared difference, `wrong`"));
}
