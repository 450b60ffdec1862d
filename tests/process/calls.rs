//! `gymcall call`

use super::stand::Stand;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_followed_to_its_end_and_its_exit_code_says_how_it_went() {
    let stand = Stand::start().await;

    let answered = stand.gymcall(["call", "(415) 555-0101", "Iron Temple"]).await.expect(0);
    for shown in
        ["agent: Hello, this is an automated call", "for Iron Temple", "We are open from 6 am", "answered_full"]
    {
        assert!(answered.out.contains(shown), "{shown}: {}", answered.out);
    }

    let busy = stand.gymcall(["call", "+14155550107"]).await.expect(4);
    assert!(busy.out.contains("busy: no_contact (dial_busy)"), "{}", busy.out);

    let busy = stand.gymcall(["call", "+14155550107", "--json"]).await.expect(4).json();
    assert_eq!(busy["status"], "busy");
    assert_eq!(busy["result"]["outcome"], "gave_up");

    let refused = stand.gymcall(["--json", "call", "+14155550118"]).await.expect(0).json();
    assert_eq!(refused["result"]["disposition"], "refused");

    // What Twilio or the number plan refuses is not a call that went badly, but a refusal.
    for number in ["+14155550110", "call us!", "911"] {
        let refused = stand.gymcall(["call", number]).await.expect(1);
        assert!(refused.err.starts_with("error: 422"), "{number}: {}", refused.err);
        assert_eq!(refused.out, "");
    }
}
