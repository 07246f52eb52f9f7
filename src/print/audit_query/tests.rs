use super::*;

fn audit(roles: &[&str]) -> Audit {
    let target = |(number, role): (usize, &&str)| Target {
        name: format!("t{number}"),
        role: role.parse().expect("a role"),
        region: None,
        profile: None,
    };
    Audit {
        partition: Partition::Aws,
        targets: roles.iter().enumerate().map(target).collect(),
        grant: Some(Grant { user: "Alice".parse().expect("a user"), account: None, profile: None }),
    }
}

#[test]
fn quotes_end_no_literal() {
    let audit = audit(&["arn:aws:iam::222222222222:role/it's/xacct"]);
    for engine in [Engine::Lake, Engine::Athena] {
        assert!(audit.queries(engine).contains("IN ('arn:aws:iam::222222222222:role/it''s/xacct')"));
    }
    let commands = audit.queries(Engine::Cli);
    assert!(commands.contains(r"role/it\'\'"), "as JMESPath and the shell have it: {commands}");
}

#[test]
fn each_query_is_one_statement_about_every_role() {
    let audit = audit(&["arn:aws:iam::222222222222:role/One", "arn:aws:iam::333333333333:role/p/Two"]);
    for (engine, account) in [(Engine::Lake, "recipientAccountId"), (Engine::Athena, "recipientaccountid")] {
        let text = audit.queries(engine);
        assert_eq!(text.matches("SELECT ").count(), 3, "{text}");
        assert_eq!(text.matches(";\n").count(), 3, "{text}");
        for (id, name) in [("222222222222", "one"), ("333333333333", "two")] {
            assert!(text.contains(&format!("({account} = '{id}' AND lower(")), "{text}");
            assert!(text.contains(&format!(" = '{name}')")), "{text}");
        }
        assert!(text.contains("= 'alice')"), "{text}");
    }
    assert_eq!(audit.queries(Engine::Cli).matches("aws cloudtrail lookup-events").count(), 5);
}

#[test]
fn without_a_user_nothing_is_asked_about_the_grant() {
    let audit = Audit { grant: None, ..audit(&["arn:aws:iam::222222222222:role/xacct"]) };
    for engine in [Engine::Lake, Engine::Athena, Engine::Cli] {
        let text = audit.queries(engine);
        assert!(!text.contains("userName") && !text.contains("username"), "{text}");
    }
}
