use super::*;
use crate::iam::risks::Risk;

const NAMES: [&str; 4] = ["dev", "test", "stage", "prod"];

fn role(number: usize) -> RoleArn {
    format!("arn:aws:iam::{}:role/xacct", account(number)).parse().expect("a role")
}

fn account(number: usize) -> String {
    format!("{:012}", 400_000_000_000 + number)
}

/// Returns the plan of a kind: nothing, a change, a change with a warning, a warning.
fn plan(kind: usize) -> Plan {
    let change = Change::DeleteRolePolicy { name: "xacct-old".to_owned() };
    Plan {
        changes: if [1, 2].contains(&kind) { vec![change] } else { Vec::new() },
        notes: Vec::new(),
        warnings: if kind >= 2 { vec![Risk::Everyone] } else { Vec::new() },
    }
}

/// Whatever plans four targets have: each line is there, and each warning names its targets, or all of them.
#[test]
fn no_line_is_lost_and_no_warning_is_anonymous() {
    for number in 0..256 {
        let kinds: Vec<usize> = (0..4).map(|at| number >> (2 * at) & 3).collect();
        let (roles, plans): (Vec<_>, Vec<_>) =
            kinds.iter().enumerate().map(|(at, kind)| (role(at), plan(*kind))).unzip();
        let accounts: Vec<_> = (0..4).map(account).collect();
        let targets: Vec<_> = (0..4)
            .map(|at| Planned { name: NAMES[at], account: &accounts[at], plan: Some((&roles[at], &plans[at])) })
            .collect();
        let text = details(&targets, &Plan::default(), 80);
        let shown = text.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "").replace("\u{1b}[33m", "");
        let rows = table(&targets, &Plan::default(), 80);
        for (at, kind) in kinds.iter().enumerate() {
            let is_all = kinds.iter().all(|other| other == kind);
            let row = rows.lines().find(|row| row.trim_start().starts_with(NAMES[at])).expect("a row");
            assert_eq!(row.contains('!'), *kind >= 2, "{kinds:?}\n{rows}");
            assert_eq!(row.contains("remove 1"), [1, 2].contains(kind), "{kinds:?}\n{rows}");
            if *kind >= 2 {
                let heading = shown.lines().find(|line| {
                    !line.starts_with(' ')
                        && (line.contains(NAMES[at]) || (is_all && line.starts_with("all 4 targets")))
                });
                let block =
                    shown.split_once(heading.unwrap_or_else(|| panic!("{kinds:?}\n{shown}"))).expect("a block").1;
                let block: Vec<_> = block.lines().skip(1).take_while(|line| line.starts_with(' ')).collect();
                assert!(
                    block.iter().any(|line| line.contains("!  the trust policy trusts everyone")),
                    "{kinds:?}\n{shown}"
                );
            }
        }
    }
}

/// A change of each kind in one plan still fits.
#[test]
fn every_kind_of_change_fits() {
    let role = role(0);
    let boundary = "arn:aws:iam::aws:policy/PowerUserAccess".parse().expect("a policy");
    let plan = Plan {
        changes: vec![
            Change::TagRole { tags: [("a".to_owned(), "b".to_owned())].into() },
            Change::SetBoundary { from: None, to: boundary },
            Change::DetachPolicy { policy: "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned() },
            Change::DeleteRole { role: role.clone() },
        ],
        notes: Vec::new(),
        warnings: vec![Risk::Everyone; 12],
    };
    let account = account(0);
    let name = "a-name-that-is-longer-than-the-room-that-is-left";
    let targets = [name, "dev"].map(|name| Planned { name, account: &account, plan: Some((&role, &plan)) });
    let table = table(&targets, &Plan::default(), 80);
    let shown =
        table.replace("\u{1b}[31m", "").replace("\u{1b}[1m", "").replace("\u{1b}[33m", "").replace("\u{1b}[0m", "");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    for words in ["- delete", "- remove 1", "~ tags", "~ boundary", "! 12"] {
        assert_eq!(shown.matches(words).count(), 2, "{words}\n{shown}");
    }
}
