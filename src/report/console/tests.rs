use super::*;

#[test]
fn only_styles_of_xacct_reach_the_terminal() {
    let own = format!("{GOOD}a{GOOD:#} {BAD}b{BAD:#} {WARN}c{WARN:#} {STRONG}d{STRONG:#}\n\te→");
    assert_eq!(harmless(&own), own);
    assert_eq!(
        harmless("\u{1b}[2J\u{1b}]0;x\u{7}y\u{1b}[8m\r\u{9b}A"),
        r"\u001b[2J\u001b]0;x\u0007y\u001b[8m\u000d\u009bA"
    );
    assert_eq!(harmless("\u{1b}"), r"\u001b");
}

#[test]
fn only_the_mark_is_styled() {
    assert_eq!(styled_mark("  -  a  - b", BAD), format!("  {BAD}-{BAD:#}  a  - b"));
}

#[test]
fn a_hint_wraps_but_not_its_command() {
    let hint = |text: &str| wrapped(&format!("  {WARN}hint:{WARN:#} {text}"), 40);
    let label = format!("  {WARN}hint:{WARN:#} ");
    assert_eq!(hint("short: xacct verify"), format!("{label}short: xacct verify"));
    assert_eq!(
        hint("wait a minute until AWS is ready, and then run the command once more"),
        format!("{label}wait a minute until AWS is\n    ready, and then run the command once\n    more")
    );
    assert_eq!(
        hint("remove the policy: aws iam detach-role-policy --role-name xacct --policy-arn arn"),
        format!("{label}remove the policy:\n    aws iam detach-role-policy --role-name xacct --policy-arn arn")
    );
    assert_eq!(
        hint("find the device that you use with `aws iam list-mfa-devices` now"),
        format!("{label}find the device that you use\n    with `aws iam list-mfa-devices` now")
    );
    assert_eq!(
        hint("aws iam create-policy --policy-name xacct --policy-document {}"),
        format!("{}\n    aws iam create-policy --policy-name xacct --policy-document {{}}", label.trim_end())
    );
    assert!(is_detail(&label) && !is_detail("  hint: of somebody else"));
}

#[test]
fn the_name_of_the_command_gets_no_capital_letter() {
    assert_eq!(capitalised("xacct cannot evaluate the policy"), "xacct cannot evaluate the policy");
    assert_eq!(capitalised("no credentials found for user alice"), "No credentials found for user alice");
}

#[test]
fn messages_wrap_on_a_terminal_only() {
    let terminal = Terminal { width: 40, ..Terminal::default() };
    let console = Console::new(terminal, OutputFormat::Table);
    let text = "The session of alice cannot be renewed, because arn:aws:iam::aws:policy/PowerUserAccess is gone\n  \
                xacct exec dev -- aws s3api list-buckets --output json";
    assert_eq!(console.fitted(text, false, is_prose), text);
    assert_eq!(
        console.fitted(text, true, is_prose),
        "The session of alice cannot be renewed,\n  because\n  arn:aws:iam::aws:policy/PowerUserAccess\n  is gone\n  \
         xacct exec dev -- aws s3api list-buckets --output json"
    );
    assert_eq!(console.fitted(text, true, is_detail), text);
}
