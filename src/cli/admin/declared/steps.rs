//! What has to be done so that there is what a file declares, said and done.

use serde_json::{Value, json};

use crate::cli::admin::api::{Api, Place};
use crate::cli::admin::report::{Report, cell};
use crate::cli::failure::Failure;
use crate::cli::output::printable;
use crate::domain::right::Right;

/// What a step does to a thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Make,
    Change,
    Remove,
}

/// How a step is done.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Make(Place, Value),
    Change(Place, Value),
    Put(Place, Value),
    Restore(Place),
    Remove(Place),
    /// Puts a scope on a client, or takes it off.
    Switch(Place, bool),
}

/// One thing to be done.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) noun: &'static str,
    /// Which thing, for people.
    pub(super) key: String,
    /// What is to differ afterwards, for people.
    pub(super) changes: Vec<String>,
    /// What it takes.
    pub(super) right: Right,
    pub(super) act: Act,
}

/// Everything to be done, in order.
#[derive(Debug, Default)]
pub(super) struct Steps(pub(super) Vec<Step>);

impl Kind {
    fn mark(self) -> &'static str {
        match self {
            Self::Make => "+",
            Self::Change => "~",
            Self::Remove => "-",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Make => "make",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }
}

impl Step {
    fn line(&self) -> String {
        format!("{} {} {}", self.kind.mark(), self.noun, printable(&self.key))
    }

    fn describe(&self) -> String {
        let changes = self.changes.iter().map(|change| format!("\n    {change}"));
        self.line() + &changes.collect::<String>()
    }

    async fn carry_out(&self, api: &mut Api) -> Result<Value, Failure> {
        match &self.act {
            Act::Make(place, body) => api.make(place, body).await,
            Act::Change(place, edit) => api.change(place, edit).await,
            Act::Put(place, body) => api.put(place, body).await,
            Act::Restore(place) => api.act(place).await,
            Act::Remove(place) => api.remove(place).await,
            Act::Switch(place, on) => api.switch(place, *on).await,
        }
    }
}

/// A change of a member, for people.
pub(super) fn change(name: &str, before: Option<&Value>, after: &Value) -> String {
    format!("{name}: {} -> {}", cell(before), cell(Some(after)))
}

impl Steps {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is, or has been, or would be done.
    pub(super) fn report(&self, verb: &str) -> Report {
        let mut lines: Vec<String> = self.0.iter().map(Step::describe).collect();
        lines.push(self.sum(verb));
        let step = |step: &Step| {
            json!({
                "action": step.kind.name(), "noun": step.noun, "key": step.key,
                "changes": step.changes,
            })
        };
        let json = json!({ "steps": self.0.iter().map(step).collect::<Vec<_>>() });
        Report::text(lines.join("\n"), json)
    }

    fn sum(&self, verb: &str) -> String {
        if self.0.is_empty() {
            return "nothing to do: what is declared is there".to_owned();
        }
        let count = |kind| self.0.iter().filter(|step| step.kind == kind).count();
        format!(
            "{} {verb} made, {} changed, {} deactivated or withdrawn",
            count(Kind::Make),
            count(Kind::Change),
            count(Kind::Remove)
        )
    }

    /// Does it, up to the first failure, and says what was done.
    pub(super) async fn carry_out(self, api: &mut Api) -> Report {
        api.ask_for(self.rights());
        let mut done = 0;
        let mut failure = None;
        for step in &self.0 {
            if let Err(refused) = step.carry_out(api).await {
                failure = Some(self.stopped(done, step, &refused));
                break;
            }
            done += 1;
        }
        Self(self.0.into_iter().take(done).collect()).report("were").failing(failure)
    }

    /// The rights that all steps take together.
    fn rights(&self) -> Vec<Right> {
        if self.0.iter().any(|step| step.right == Right::Operate) {
            return vec![Right::Operate];
        }
        let needed = |right: &Right| self.0.iter().any(|step| step.right == *right);
        [Right::WriteScopes, Right::WriteClients].into_iter().filter(needed).collect()
    }

    fn stopped(&self, done: usize, step: &Step, refused: &Failure) -> Failure {
        let message = format!(
            "stopped at step {} of {}, {}: {}\n{done} were done, {} were not; apply goes on from there",
            done + 1,
            self.0.len(),
            step.line(),
            refused.message,
            self.0.len() - done,
        );
        Failure { exit: refused.exit, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(kind: Kind, right: Right) -> Step {
        let place = Place::of(["scopes", "a:b"]);
        let changes = vec![change("note", None, &json!("x"))];
        let act = Act::Remove(place);
        Step { kind, noun: "scope", key: "a:b".to_owned(), changes, right, act }
    }

    #[test]
    fn a_plan_is_told_with_marks_and_a_sum() {
        let steps = Steps(vec![
            step(Kind::Make, Right::WriteScopes),
            step(Kind::Remove, Right::WriteScopes),
        ]);
        assert_eq!(steps.0[0].describe(), "+ scope a:b\n    note: - -> x");
        assert_eq!(steps.0[1].line(), "- scope a:b");
        let sum = "1 would be made, 0 changed, 1 deactivated or withdrawn";
        assert_eq!(steps.sum("would be"), sum);
    }

    #[test]
    fn no_more_rights_are_asked_for_than_the_steps_take() {
        let rights = |rights: &[Right]| {
            Steps(rights.iter().map(|right| step(Kind::Make, *right)).collect()).rights()
        };
        assert_eq!(rights(&[Right::WriteScopes, Right::WriteScopes]), [Right::WriteScopes]);
        let both = [Right::WriteClients, Right::WriteScopes];
        assert_eq!(rights(&both), [Right::WriteScopes, Right::WriteClients]);
        assert_eq!(rights(&[Right::WriteClients, Right::Operate]), [Right::Operate]);
    }
}
