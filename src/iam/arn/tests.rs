use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::typed::JOB_FUNCTIONS;
use super::*;
use crate::iam::invalid::Invalid;
use crate::iam::names::AccountId;

fn round_trips<T>(value: &T)
where
    T: FromStr<Err = Invalid> + Display + Serialize + DeserializeOwned + PartialEq + Debug,
{
    assert_eq!(value.to_string().parse::<T>().as_ref(), Ok(value));
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(json, serde_json::to_string(&value.to_string()).unwrap());
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
}

/// Asserts that `text` is accepted and round-trips through `Display` and serde.
fn accepts<T>(text: &str) -> T
where
    T: FromStr<Err = Invalid> + Display + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let value: T = text.parse().unwrap();
    assert_eq!(value.to_string(), text);
    round_trips(&value);
    value
}

/// Asserts that `text` is rejected with a printable message or round-trips.
fn survives<T>(text: &str)
where
    T: FromStr<Err = Invalid> + Display + Serialize + DeserializeOwned + PartialEq + Debug,
{
    match text.parse::<T>() {
        Ok(value) => round_trips(&value),
        Err(error) => {
            let message = format!("{error}: {}", error.fix);
            assert!(!message.ends_with('.') && !message.chars().any(char::is_control), "{message:?}");
        }
    }
}

#[test]
fn arns_of_all_partitions() {
    let names = ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"];
    assert_eq!(Partition::ALL.map(Partition::as_str), names);
    for partition in Partition::ALL {
        assert_eq!(accepts::<Partition>(partition.as_str()), partition);
        let role: RoleArn = accepts(&format!("arn:{partition}:iam::222222222222:role/team/a/xacct"));
        assert_eq!(
            (role.partition, role.account.as_str(), role.path.as_str(), role.name.as_str()),
            (partition, "222222222222", "/team/a/", "xacct")
        );
        assert_eq!(RoleArn::new(role.partition, role.account.clone(), role.path.clone(), role.name.clone()), role);
        let user: UserArn = accepts(&format!("arn:{partition}:iam::111111111111:user/alice"));
        assert!(user.path.is_root() && user.name.as_str() == "alice" && user.partition == partition);
        let policy: PolicyArn = accepts(&format!("arn:{partition}:iam::aws:policy/job-function/Billing"));
        assert_eq!((policy.owner, policy.path.as_str()), (PolicyOwner::Aws, "/job-function/"));
        let policy: PolicyArn = accepts(&format!("arn:{partition}:iam::111111111111:policy/mine"));
        assert_eq!(policy.owner.to_string(), "111111111111");
    }
}

#[test]
fn errors_distinguish_what_is_wrong() {
    let role = |text: &str| text.parse::<RoleArn>().unwrap_err();
    let user = |text: &str| text.parse::<UserArn>().unwrap_err();
    let policy = |text: &str| text.parse::<PolicyArn>().unwrap_err();
    let cases = [
        (
            role("xacct"),
            "does not have the form `arn:PARTITION:iam::ACCOUNT:role/NAME`",
            "use an ARN such as `arn:aws:iam::111111111111:role/NAME`",
        ),
        (
            role(" arn:aws:iam::111111111111:role/x"),
            "does not have the form `arn:PARTITION:iam::ACCOUNT:role/NAME`",
            "remove the whitespace around it",
        ),
        (
            role("arn:awz:iam::111111111111:role/x"),
            "its partition `awz` is not one of aws, aws-cn, aws-us-gov, aws-eusc, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f",
            "use the account's partition, usually `aws`",
        ),
        (
            role("arn:aws-cn:sts::111111111111:assumed-role/xacct/alice"),
            "names a resource of service `sts`, not `iam`",
            "use the role's ARN, not a session's: `arn:aws-cn:iam::111111111111:role/xacct` (add the role's path, if it has one)",
        ),
        (
            role("arn:aws:s3:::bucket"),
            "names a resource of service `s3`, not `iam`",
            "use an ARN such as `arn:aws:iam::111111111111:role/NAME`",
        ),
        (
            role("arn:aws:iam:eu-west-1:111111111111:role/x"),
            "names Region `eu-west-1`, but IAM ARNs have no Region",
            "leave the Region empty, as in `arn:aws:iam::111111111111:role/NAME`",
        ),
        (
            role("arn:aws:iam::111111111111:user/alice"),
            "names `user/alice`, not a role",
            "use an ARN such as `arn:aws:iam::111111111111:role/NAME`",
        ),
        (
            user("arn:aws:iam::111111111111:root"),
            "names the root user",
            "use an IAM user, because the root user cannot assume roles",
        ),
        (
            user("arn:aws:iam::111111111111:user"),
            "does not name a user",
            "use an ARN such as `arn:aws:iam::111111111111:user/NAME`",
        ),
        (
            role("arn:aws:iam::1111:role/x"),
            "its account ID `1111` has 4 characters, exactly 12 are required",
            "use all 12 digits, including leading zeros",
        ),
        (role("arn:aws:iam::111111111111:role/"), "its role name `` is empty", "use 1 to 64 characters"),
        (
            role("arn:aws:iam::111111111111:role//x"),
            "its IAM path `//` has nothing between its slashes",
            "use `/` for no path",
        ),
        (
            role("arn:aws:iam::111111111111:role/x\n"),
            "its role name `x\\n` contains `\\n` (only ASCII letters, digits and _+=,.@- are allowed)",
            "remove the whitespace around it",
        ),
        (
            policy("arn:aws:iam::amazon:policy/x"),
            "its account ID `amazon` contains `a` (only the digits 0 to 9 are allowed)",
            "use the 12 digits without dashes",
        ),
    ];
    for (error, rule, fix) in cases {
        assert_eq!((error.rule.as_str(), error.fix.as_str()), (rule, fix));
    }
    assert_eq!(
        role("arn:aws:iam::1:role/x").to_string().split(": ").next(),
        Some("`arn:aws:iam::1:role/x` is not a valid role ARN")
    );
    assert!("arn:aws:iam::１１１１１１１１１１１１:role/x".parse::<RoleArn>().is_err());
    assert!(" arn".parse::<RoleArn>().is_err());
}

#[test]
fn callers_are_recognised() {
    let account: AccountId = "111111111111".parse().unwrap();
    let partition = Partition::AwsUsGov;
    let cases = [
        ("arn:aws-us-gov:iam::111111111111:root", CallerArn::Root { partition, account: account.clone() }),
        (
            "arn:aws-us-gov:iam::111111111111:user/a/alice",
            CallerArn::User("arn:aws-us-gov:iam::111111111111:user/a/alice".parse().unwrap()),
        ),
        (
            "arn:aws-us-gov:sts::111111111111:assumed-role/xacct/alice",
            CallerArn::AssumedRole {
                partition,
                account: account.clone(),
                role: "xacct".parse().unwrap(),
                session: "alice".to_owned(),
            },
        ),
        (
            "arn:aws-us-gov:sts::111111111111:federated-user/bob",
            CallerArn::FederatedUser { partition, account: account.clone(), name: "bob".to_owned() },
        ),
    ];
    for (arn, caller) in cases {
        assert_eq!(CallerArn::parse(arn), caller);
        assert_eq!(caller.to_string(), arn);
        assert_eq!((caller.account(), caller.partition()), (Some(&account), Some(partition)));
        assert_eq!(caller.user().is_some(), arn.contains(":user/"));
        let json = serde_json::to_string(&caller).unwrap();
        assert_eq!(serde_json::from_str::<CallerArn>(&json).unwrap(), caller);
    }
    for other in [
        "",
        "alice",
        "arn:aws:iam::1:root",
        "arn:aws:iam:eu-west-1:111111111111:root",
        "arn:aws:sts::111111111111:assumed-role/xacct",
        "arn:aws:sts::111111111111:assumed-role/xacct/",
        "arn:aws:sts::111111111111:federated-user/",
        "arn:aws:iam::111111111111:assumed-role/xacct/alice",
    ] {
        let caller = CallerArn::parse(other);
        assert_eq!(caller, CallerArn::Other(other.to_owned()));
        assert_eq!((caller.account(), caller.partition(), caller.user()), (None, None, None));
    }
}

#[test]
fn managed_policies_resolve() {
    let cases = [
        ("PowerUserAccess", "PowerUserAccess", "arn:aws-cn:iam::aws:policy/PowerUserAccess"),
        ("ViewOnlyAccess", "job-function/ViewOnlyAccess", "arn:aws-cn:iam::aws:policy/job-function/ViewOnlyAccess"),
        ("job-function/Billing", "job-function/Billing", "arn:aws-cn:iam::aws:policy/job-function/Billing"),
        ("service-role/A/B", "service-role/A/B", "arn:aws-cn:iam::aws:policy/service-role/A/B"),
        (
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
        ),
        (
            "arn:aws:iam::111111111111:policy/p/x",
            "arn:aws:iam::111111111111:policy/p/x",
            "arn:aws:iam::111111111111:policy/p/x",
        ),
    ];
    for (typed, shown, resolved) in cases {
        let policy: ManagedPolicy = typed.parse().unwrap();
        assert_eq!(
            (policy.to_string().as_str(), policy.resolve(Partition::AwsCn).to_string().as_str()),
            (shown, resolved)
        );
        round_trips(&policy);
    }
    for name in JOB_FUNCTIONS {
        assert_eq!(name.parse::<ManagedPolicy>(), format!("job-function/{name}").parse());
    }
    for bad in ["", "/X", "X/", "a b", "X\n", "arn:aws:iam::aws:role/X", "é"] {
        assert!(bad.parse::<ManagedPolicy>().is_err(), "{bad:?}");
    }
    assert_eq!(
        "a b".parse::<ManagedPolicy>().unwrap_err().to_string(),
        "`a b` is not a valid managed policy: its policy name `a b` contains ` ` (only ASCII letters, digits and _+=,.@- are allowed)"
    );
}

#[test]
fn users_are_names_or_arns() {
    let by_name: UserRef = accepts("alice");
    assert_eq!((by_name.name().as_str(), by_name.account()), ("alice", None));
    let by_arn: UserRef = accepts("arn:aws:iam::111111111111:user/team/alice");
    assert_eq!((by_arn.name().as_str(), by_arn.account().map(AccountId::as_str)), ("alice", Some("111111111111")));
    assert_eq!("team/alice".parse::<UserRef>().unwrap_err().fix, "use only the name: `alice`");
    assert_eq!("arn:aws:iam::111111111111:role/x".parse::<UserRef>().unwrap_err().what, "user");
}

/// Any text, and text similar to an ARN.
fn any_text() -> impl Strategy<Value = String> {
    let nearly = (
        prop_oneof!["aws[a-z-]{0,7}", Just("aws".to_owned()), "(?s).{0,3}"],
        prop_oneof!["iam", "sts", "[a-z]{0,3}"],
        prop_oneof![Just(String::new()), "[a-z0-9-]{0,9}"],
        prop_oneof!["[0-9]{12}", "aws", "[0-9]{0,13}"],
        prop_oneof!["role", "user", "group", "policy", "root", "assumed-role", "federated-user"],
        prop_oneof!["(?s)[/:].{0,9}", "(/[a-z]{1,3}){0,3}", "/[!-~]{0,20}"],
    )
        .prop_map(|(partition, service, region, account, kind, rest)| {
            format!("arn:{partition}:{service}:{region}:{account}:{kind}{rest}")
        });
    prop_oneof!["(?s).*", nearly]
}

proptest! {
    #[test]
    fn no_parser_panics_and_what_is_accepted_round_trips(text in any_text()) {
        survives::<Partition>(&text);
        survives::<RoleArn>(&text);
        survives::<UserArn>(&text);
        survives::<PolicyArn>(&text);
        survives::<ManagedPolicy>(&text);
        survives::<UserRef>(&text);
        survives::<GroupArn>(&text);
        survives::<PrincipalRef>(&text);
        let _ = Partition::of_region(&text);
        let caller = CallerArn::parse(&text);
        prop_assert_eq!(caller.to_string(), text.as_str());
        prop_assert_eq!(CallerArn::parse(&caller.to_string()), caller);
        for strict in [text.parse::<RoleArn>().map(|arn| arn.to_string()), text.parse::<PolicyArn>().map(|arn| arn.to_string())] {
            prop_assert!(strict.is_err() || strict.as_ref() == Ok(&text));
        }
    }

    #[test]
    fn valid_arns_are_accepted_and_damaged_ones_rejected(
        partition in prop::sample::select(&Partition::ALL[..]), account in "[0-9]{12}", path in r"(/[!-~]{1,30})?/",
        name in r"[A-Za-z0-9_+=,.@-]{1,64}", session in r"[A-Za-z0-9_+=,.@-]{2,64}", bad in r"[^A-Za-z0-9_+=,.@/-]",
    ) {
        let role: RoleArn = accepts(&format!("arn:{partition}:iam::{account}:role{path}{name}"));
        prop_assert_eq!((role.account.as_str(), role.path.as_str(), role.name.as_str()), (account.as_str(), path.as_str(), name.as_str()));
        accepts::<UserArn>(&format!("arn:{partition}:iam::{account}:user{path}{name}"));
        accepts::<UserRef>(&format!("arn:{partition}:iam::{account}:user{path}{name}"));
        accepts::<PolicyArn>(&format!("arn:{partition}:iam::{account}:policy{path}{name}"));
        accepts::<ManagedPolicy>(&format!("arn:{partition}:iam::aws:policy{path}{name}"));
        let caller = CallerArn::parse(&format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}"));
        let is_session = matches!(caller, CallerArn::AssumedRole { .. });
        prop_assert!(is_session);
        for spoilt in [format!("{name}{bad}"), format!("{bad}{name}"), "x".repeat(65)] {
            let arn = format!("arn:{partition}:iam::{account}:role{path}{spoilt}");
            prop_assert!(arn.parse::<RoleArn>().is_err());
        }
        let foreign = format!("arn:{partition}:iam::{account}{bad}:role/{name}");
        prop_assert!(foreign.parse::<RoleArn>().is_err());
    }
}

#[test]
fn the_roles_of_a_permission_set_are_known_by_their_names() {
    let set = |role: &str| set_of_role(role).map(|set| set.to_string());
    assert_eq!(set("AWSReservedSSO_Deployer_0123456789abcdef").as_deref(), Some("Deployer"));
    assert_eq!(set("AWSReservedSSO_a_b.c_0123456789abcdef").as_deref(), Some("a_b.c"));
    for other in
        ["Deployer", "AWSReservedSSO_Deployer", "AWSReservedSSO_Deployer_0123", "AWSReservedSSO__0123456789abcdef"]
    {
        assert_eq!(set(other), None, "{other}");
    }
}

#[test]
fn a_permission_set_is_every_session_of_its_roles() {
    let set: PrincipalRef = accepts("permission-set/Deployer");
    let arn = set.at_root(Partition::Aws, &"111111111111".parse().unwrap());
    let pattern = "role/aws-reserved/sso.amazonaws.com*/AWSReservedSSO_Deployer_????????????????";
    assert_eq!(arn.to_string(), format!("arn:aws:iam::111111111111:{pattern}"));
    let session = |account: &str, role: &str| {
        CallerArn::parse(&format!("arn:aws:sts::{account}:assumed-role/{role}/alice@example.com"))
    };
    let own = session("111111111111", "AWSReservedSSO_Deployer_0123456789abcdef");
    assert!(arn.is(&own) && set.is(&own));
    let other = session("111111111111", "AWSReservedSSO_Deployer2_0123456789abcdef");
    assert!(!arn.is(&other) && !set.is(&other));
    assert!(!arn.is(&session("222222222222", "AWSReservedSSO_Deployer_0123456789abcdef")));
}
