use super::*;

fn sheet(names: &[&str], accounts: &[&str], causes: &[&str]) -> Sheet {
    let numbers: Vec<_> = (0..names.len()).collect();
    let of = |values: &[&str], number: usize| values[number].to_owned();
    Sheet::new(vec![
        Field::of("Target", &numbers, |it| of(names, *it)),
        Field::of("Account", &numbers, |it| of(accounts, *it)),
        Field::of("User", &numbers, |_| "alice".to_owned()),
        Field::of("Result", &numbers, |_| "works".to_owned()).column(),
        Field::of("Cause", &numbers, |it| of(causes, *it)).column().wrapping(),
    ])
}

#[test]
fn what_all_share_is_no_column() {
    let sheet = sheet(&["dev", "prod"], &["222222222222", "333333333333"], &["", ""]);
    assert_eq!(sheet.shared(80).as_deref(), Some("User         alice"));
    let expected = " TARGET  ACCOUNT       RESULT\n dev     222222222222  works\n prod    333333333333  works";
    assert_eq!(sheet.table(80), expected);
}

#[test]
fn targets_named_by_their_accounts_have_one_column() {
    let accounts = ["222222222222", "333333333333"];
    let table = sheet(&accounts, &accounts, &["", ""]).table(80);
    assert_eq!(table, " TARGET        RESULT\n 222222222222  works\n 333333333333  works");
}

/// Names of any length and causes of any length fit into any usual width, and no character of a name is lost.
#[test]
fn tables_fit_and_keep_every_name() {
    let long = "data-platform-production-eu-central-1-with_a_part_that_has_no_hyphen";
    let names = ["dev", long];
    let causes =
        ["", "policy arn:aws:iam::222222222222:policy/engineering/a-long-name-of-a-policy is not there any more"];
    for width in 60..=140 {
        let table = sheet(&names, &["222222222222", "333333333333"], &causes).table(width);
        assert!(table.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}\n{table}");
        let column = table.lines().skip(2).map(|line| line.split("  ").next().unwrap_or_default().trim());
        assert_eq!(column.collect::<String>(), long, "{width}\n{table}");
        assert_eq!(table.contains("333333333333"), width >= 84, "{width}\n{table}");
    }
}

#[test]
fn only_ends_of_long_words_are_shown() {
    assert_eq!(shortened("AccessDenied"), "AccessDenied");
    assert_eq!(shortened("arn:aws:iam::aws:policy/ReadOnlyAccess"), "…/ReadOnlyAccess");
    let long = "arn:aws:iam::aws:policy/AmazonElasticFileSystemReadOnlyAccess";
    assert_eq!(shortened(long), "…ElasticFileSystemReadOnlyAccess");
    assert_eq!(shortened(&"x".repeat(40)).chars().count(), NARROWEST);
}

#[test]
fn the_most_frequent_text_is_that_of_the_others() {
    let said = |texts: &[&str]| said(&["a", "b", "c", "d"], texts.iter().map(|text| (*text).to_owned().into()));
    assert_eq!(said(&["x", "x", "x", "x"]), ["x"]);
    assert_eq!(said(&["y", "x", "x", "x"]), ["a: y", "the others: x"]);
    assert_eq!(said(&["x", "y", "x", "z"]), ["b: y", "d: z", "the others: x"]);
    assert_eq!(said(&["x", "x", "y", "y"]), ["a, b: x", "the others: y"]);
    assert_eq!(said(&["v", "x", "y", "z"]), ["a: v", "b: x", "c: y", "d: z"]);
    // Some have nothing to say: "the others" would include them.
    assert_eq!(said(&["x", "x", "x", ""]), ["a, b, c: x"]);
    assert_eq!(said(&["", "", "", ""]), [""; 0]);
}

#[test]
fn a_remark_on_all_names_none() {
    let all = |remarks_on: &[&str]| {
        let remarks_on = remarks_on.iter().map(|name| ((*name).to_owned(), "warning".to_owned().into()));
        remarks(remarks_on, (2, "all that work"), 80)
    };
    assert_eq!(all(&["a", "b"]).as_deref(), Some("all that work: warning"));
    assert_eq!(all(&["a", "a"]).as_deref(), Some("a: warning"));
    assert_eq!(all(&[]), None);
}

#[test]
fn accounts_are_compared_without_their_numbers() {
    let [one, other] = ["222222222222", "333333333333"]
        .map(|account| of_any_account(&format!("arn:aws:iam::{account}:role/xacct"), account));
    assert_eq!(one, other);
    assert_eq!(shown(&one), "arn:aws:iam::ACCOUNT:role/xacct");
    // A text about one target has its number.
    let own = |account: &str| Own::of(format!("role {account}"), account);
    let texts = [own("222222222222"), own("333333333333"), "no role".to_owned().into()];
    assert_eq!(said(&["a", "b", "c"], texts), ["c: no role", "the others: role ACCOUNT"]);
    let texts = [own("222222222222"), "no role".to_owned().into()];
    assert_eq!(said(&["a", "c"], texts.clone()), ["a: role 222222222222", "c: no role"]);
    let texts = ["a", "c"].into_iter().map(str::to_owned).zip(texts);
    assert_eq!(remarks(texts, (2, "all"), 80).as_deref(), Some("a: role 222222222222\nc: no role"));
    // Another account is not the own one, and its name for people is no account.
    assert_ne!(of_any_account("333333333333", "222222222222"), one);
    assert_ne!(of_any_account("ACCOUNT", "222222222222"), of_any_account("222222222222", "222222222222"));
}

#[test]
fn one_of_each_kind_of_problem() {
    let problems = [("a", Some("x")), ("b", None), ("c", Some("x")), ("d", None), ("e", Some("y"))];
    let distinct = distinct(&problems, |(_, key)| key.map(str::to_owned), |(name, _)| name);
    let names: Vec<_> = distinct.into_iter().map(|((name, _), same)| (*name, same)).collect();
    assert_eq!(names, [("a", vec!["c"]), ("b", vec![]), ("d", vec![]), ("e", vec![])]);
}
