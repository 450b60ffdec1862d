use super::*;
use gymcall_jobs::answer::OpenHours;

fn ask(kind: AnswerType, words: &str) -> Option<AnswerValue> {
    let choices = ["Cash", "Credit card", "Card", "Day and night"].map(str::to_owned).to_vec();
    understand(&Question { key: "key".into(), ask: "?".into(), kind, choices }, words)
}

#[test]
fn money() {
    let table = [
        ("15 dollars", "15.00 USD"),
        ("$15.50", "15.50 USD"),
        ("It's $1,200 a year", "1200.00 USD"),
        ("fifteen dollars", "15.00 USD"),
        ("fifteen dollars and fifty cents", "15.50 USD"),
        ("fifteen dollars fifty", "15.50 USD"),
        ("twenty five fifty", "25.50 USD"),
        ("twenty-five", "25.00 USD"),
        ("fifteen ninety-nine plus tax", "15.99 USD"),
        ("a hundred bucks", "100.00 USD"),
        ("12 euros", "12.00 EUR"),
        ("12,50 €", "12.50 EUR"),
        ("£9", "9.00 GBP"),
        ("fifty cents", "0.50 USD"),
        ("A one day pass is fifteen", "15.00 USD"),
        ("The 3 day pass is 40 dollars", "40.00 USD"),
        ("20 dollars, 15 for students", "20.00 USD"),
        ("15 dollars and 30 for two people", "15.00 USD"),
        ("It's free", "0.00 USD"),
        ("no charge", "0.00 USD"),
        ("the first visit is free, then $10", "10.00 USD"),
    ];
    for (words, value) in table {
        assert_eq!(ask(AnswerType::Money, words).map(|it| it.to_cell()).as_deref(), Some(value), "{words}");
    }
    for words in ["hello", "feel free to come by", "the first one", "15 to 20 dollars", "between 15 and 20", "3 days"] {
        assert_eq!(ask(AnswerType::Money, words), None, "{words}");
    }
}

#[test]
fn hours() {
    let all = "mon tue wed thu fri sat sun";
    let table = [
        ("6 am to 10 pm every day", format!("{all} 06:00-22:00")),
        ("We're open from 6am until 10pm daily.", format!("{all} 06:00-22:00")),
        ("Monday to Friday 6 to 22, weekends 8 to 8pm", "mon tue wed thu fri 06:00-22:00; sat sun 08:00-20:00".into()),
        ("Mon-Fri 6:00-22:00, Sat & Sun 8-20", "mon tue wed thu fri 06:00-22:00; sat sun 08:00-20:00".into()),
        ("24 hours", format!("{all} 00:00-24:00")),
        ("24 hours a day, seven days a week", format!("{all} 00:00-24:00")),
        ("we are open 24/7", format!("{all} 00:00-24:00")),
        ("twenty four seven", format!("{all} 00:00-24:00")),
        ("from six in the morning to ten at night", format!("{all} 06:00-22:00")),
        ("six thirty a.m. to nine p.m.", format!("{all} 06:30-21:00")),
        ("half past six to quarter to ten", format!("{all} 06:30-21:45")),
        ("9 to 5", format!("{all} 09:00-17:00")),
        ("6 am to 10", format!("{all} 06:00-22:00")),
        ("5 to 11pm", format!("{all} 05:00-23:00")),
        ("2 to 8 on Saturdays", "sat 14:00-20:00".into()),
        ("6 to midnight", format!("{all} 06:00-24:00")),
        ("noon to 8 p.m.", format!("{all} 12:00-20:00")),
        ("we open at six and close at ten", format!("{all} 06:00-22:00")),
        ("between 6 and 22", format!("{all} 06:00-22:00")),
        ("weekdays 6 to 10, weekends 8 to 8", "mon tue wed thu fri 06:00-22:00; sat sun 08:00-20:00".into()),
        ("6 to 10 on weekdays, 8 to 8 on weekends", "mon tue wed thu fri 06:00-22:00; sat sun 08:00-20:00".into()),
        ("weekdays 6 till 10 and 8 till 8 on weekends", "mon tue wed thu fri 06:00-22:00; sat sun 08:00-20:00".into()),
        ("6 to 10, weekends 8 to 8", "mon tue wed thu fri 06:00-22:00; sat sun 08:00-20:00".into()),
        ("every day except Sunday 6 to 10", "mon tue wed thu fri sat 06:00-22:00".into()),
        ("6 to 10, closed Sundays", "mon tue wed thu fri sat 06:00-22:00".into()),
        ("Monday through Saturday 6 to 10, Sunday closed", "mon tue wed thu fri sat 06:00-22:00".into()),
        ("Mon to Fri 6 to 12 and 14 to 22", "mon tue wed thu fri 06:00-12:00; mon tue wed thu fri 14:00-22:00".into()),
        ("Monday, Wednesday and Friday 7 to 9", "mon wed fri 07:00-21:00".into()),
        ("Saturday to Monday 8 to 4 pm", "mon sat sun 08:00-16:00".into()),
    ];
    for (words, value) in table {
        assert_eq!(ask(AnswerType::Hours, words).map(|it| it.to_cell()), Some(value), "{words}");
    }
    for words in ["hello", "six", "we open at six", "every day", "seven days a week", "we have 20 to 30 people"] {
        assert_eq!(ask(AnswerType::Hours, words), None, "{words}");
    }
    let night = vec![OpenHours { days: vec!["fri".into()], from: "18:00".into(), to: "02:00".into() }];
    assert_eq!(ask(AnswerType::Hours, "Friday 6 pm to 2 am"), Some(AnswerValue::Hours(night)));
}

#[test]
fn yes_and_no() {
    for words in ["Yes.", "yeah, we do", "Sure!", "well, of course", "we do have showers", "Yes, no problem"] {
        assert_eq!(ask(AnswerType::Boolean, words), Some(AnswerValue::Boolean(true)), "{words}");
    }
    for words in ["No", "nope", "we don't", "Um, not really", "unfortunately not", "We are not", "no, sorry"] {
        assert_eq!(ask(AnswerType::Boolean, words), Some(AnswerValue::Boolean(false)), "{words}");
    }
    for words in ["hello", "maybe", "no idea", "not sure", "I don't know", "it depends"] {
        assert_eq!(ask(AnswerType::Boolean, words), None, "{words}");
    }
}

#[test]
fn numbers() {
    let table = [
        ("15", 15.0),
        ("we have twenty-five of them", 25.0),
        ("about two hundred and fifty", 250.0),
        ("a hundred", 100.0),
        ("three thousand two hundred", 3200.0),
        ("1,200 members", 1200.0),
        ("two point five", 2.5),
        ("none", 0.0),
        ("a dozen", 12.0),
    ];
    for (words, value) in table {
        assert_eq!(ask(AnswerType::Number, words), Some(AnswerValue::Number(value)), "{words}");
    }
    for words in ["a lot", "20 to 30", "between five and ten", ""] {
        assert_eq!(ask(AnswerType::Number, words), None, "{words}");
    }
}

#[test]
fn lists() {
    let table: [(&str, &[&str]); 7] = [
        ("yoga, spin and boxing", &["yoga", "spin", "boxing"]),
        ("We have Yoga, Pilates, and HIIT.", &["Yoga", "Pilates", "HIIT"]),
        ("Well, we offer yoga & spin", &["yoga", "spin"]),
        ("yoga classes", &["yoga"]),
        ("We've got spin. Also boxing!", &["spin", "boxing"]),
        ("Café-Yoga und Tanz", &["Café-Yoga und Tanz"]),
        ("none", &[]),
    ];
    for (words, items) in table {
        let items = items.iter().map(|&item| item.to_owned()).collect();
        assert_eq!(ask(AnswerType::List, words), Some(AnswerValue::List(items)), "{words}");
    }
    assert_eq!(ask(AnswerType::List, "Hello?"), None);
}

#[test]
fn choices() {
    let text = |it: &str| Some(AnswerValue::Text(it.to_owned()));
    assert_eq!(ask(AnswerType::Choice, "cash, please"), text("Cash"));
    assert_eq!(ask(AnswerType::Choice, "by CREDIT CARD"), text("Credit card"));
    assert_eq!(ask(AnswerType::Choice, "card"), text("Card"));
    assert_eq!(ask(AnswerType::Choice, "cash or card"), None);
    assert_eq!(ask(AnswerType::Choice, "cashew"), None);
}

#[test]
fn texts() {
    let words = " Just drop in, no booking. ";
    assert_eq!(ask(AnswerType::Text, words), Some(AnswerValue::Text(words.trim().into())));
    for words in ["", "Hello?", "uh, yeah", "..."] {
        assert_eq!(ask(AnswerType::Text, words), None, "{words}");
    }
}
