#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::time::Instant;

use super::*;

async fn run(line: &str, patience: Duration) -> Result<Credentials, Failure> {
    Process { line: line.to_owned(), patience }.credentials().await
}

#[tokio::test]
async fn a_program_that_does_not_end_is_ended_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let late = folder.path().join("late");
    let line = format!("(sleep 2; touch {}) & sleep 60", late.display());
    let start = Instant::now();
    let failure = run(&line, Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(failure, Failure::TooSlow(_)), "{failure}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    // On a terminal it shares xacct's group, which must live on.
    if std::fs::File::open("/dev/tty").is_err() {
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(!late.exists(), "the background process was not ended");
    }
}

#[tokio::test]
async fn endless_output_is_not_read_to_its_end() {
    let failure = run("yes", Duration::from_secs(60)).await.unwrap_err();
    assert!(matches!(failure, Failure::TooLong), "{failure}");
}

#[tokio::test]
async fn much_standard_error_is_no_failure() {
    let credentials = r#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s"}"#;
    let line = format!("yes | head -c 300000 >&2; echo '{credentials}'");
    assert_eq!(run(&line, Duration::from_secs(60)).await.unwrap().access_key_id(), "AKIA");
}

#[tokio::test]
async fn no_failure_repeats_what_the_program_wrote() {
    let lines = [
        "echo dear >&2; exit 3",
        "echo dear",
        r#"echo '{"Version":"dear","AccessKeyId":"AKIA","SecretAccessKey":"dear"}'"#,
        r#"echo '{"Version":2,"AccessKeyId":"AKIA","SecretAccessKey":"dear"}'"#,
        r#"echo '{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s","Expiration":"dear"}'"#,
    ];
    for line in lines {
        let error = CredentialsError::provider_error(run(line, Duration::from_secs(60)).await.unwrap_err());
        let words = crate::aws::client::error::with_causes(&error);
        assert!(words.contains("credential_process") && !words.contains("dear"), "{words}");
        assert!(!format!("{error:?} {:?}", Process::new(line)).contains("dear"), "{error:?}");
    }
}

#[test]
fn reads_the_usual_forms_of_a_time() {
    let wanted = time_of("2030-01-02T03:04:05Z");
    assert!(wanted.is_some());
    for text in [
        "2030-01-02T03:04:05+00:00",
        "2030-01-02T03:04:05+0000",
        "2030-01-02T03:04:05UTC",
        "2030-01-02 03:04:05 UTC",
        "2030-01-02T05:04:05+02:00",
    ] {
        assert_eq!(time_of(text), wanted, "{text}");
    }
    assert_eq!(time_of("2030-01-02"), None);
}
