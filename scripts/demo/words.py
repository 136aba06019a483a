"""What the people of the demo talk about: topics of a life, notes of calls, promises.

All of it is made up. Notes are written as callers write them: short, no health advice, the
patient's own words and plans. ``{kid}``, ``{pet}`` and ``{friend}`` are filled per patient.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One thread of a life: how the record puts it, and what comes up about it on calls.

    ``from_age``: the years of age from which it is likely.
    """

    about: str
    notes: tuple[str, ...]
    promises: tuple[str, ...]
    from_age: int = 0


TOPICS = (
    Topic(
        "Raises a grandchild, {kid}, who starts middle school this year.",
        (
            "{kid} brought home a good report card; it is on the fridge.",
            "{kid} has been cooking along: less oil, more beans, and no complaints so far.",
            "Tired from {kid}'s fever this week, on the mend now.",
            "{kid} counts the steps on their evening walks and insists on the long way round.",
        ),
        ("Ask how {kid}'s school play went", "Ask whether {kid} is over the cold"),
        from_age=48,
    ),
    Topic(
        "Grows tomatoes and chiles behind the house and gives most of them away.",
        (
            "First tomatoes are in. Eats them like apples, with a little salt.",
            "Garden is resting, misses it. Plans to start seeds on the windowsill.",
            "Spent two hours weeding and the meter showed it: very pleased.",
            "Neighbors came by for chiles again, stayed and talked for an hour.",
        ),
        ("Ask whether the seedlings came up", "Ask what the neighbor said about the salsa"),
    ),
    Topic(
        "Walks an old dog, {pet}, every morning; {pet} sets the pace.",
        (
            "{pet} is limping, so the walks are shorter. Went round the block alone instead.",
            "Walked {pet} every day but one. Feels it in the legs, in a good way.",
            "{pet} barked through half the call, which made us both laugh.",
            "The vet says {pet} is fine. A stone off the heart.",
        ),
        ("Ask how {pet} did at the vet", "Ask whether the early walks with {pet} stuck"),
    ),
    Topic(
        "Sings in the church choir; {friend} picks everybody up on Wednesdays.",
        (
            "Choir practice every Wednesday now; {friend} drives. Sang me two lines.",
            "Skipped choir, no strength for people this week. We talked about that for a while.",
            "Solo on Sunday. Nervous and glad.",
            "The choir's potluck went well: took a salad so there would be one thing to eat.",
        ),
        ("Ask how the solo went", "Ask whether {friend} could drive on Wednesday"),
    ),
    Topic(
        "Works nights at a warehouse and sleeps when the street is loudest.",
        (
            "Three nights in a row; meals are upside down. Packs a dinner now.",
            "Asked the foreman for a fixed break so the evening dose is on time. He said yes.",
            "Slept five hours, the best in weeks. Curtains help.",
            "Overtime until the end of the month. Worried about money, then sleep.",
        ),
        ("Ask whether the shift plan changed", "Call after 3 pm while the night shift lasts"),
    ),
    Topic(
        "Lost a spouse two years ago; evenings are the long part of the day.",
        (
            "The anniversary was Tuesday. Cooked the old Sunday dish and set one plate.",
            "Evenings are long. Has started calling {friend} at eight, most nights.",
            "Found the photo albums. Told me how they met, at a bus stop in the rain.",
            "First time at the senior center. Stayed for cards, says the coffee is terrible.",
        ),
        ("Ask how the evening with {friend} was", "Call on the birthday, it is a hard day"),
        from_age=45,
    ),
    Topic(
        "Cooks for the whole family on Sundays and dislikes being told what to cook.",
        (
            "Halved the rice on Sunday and nobody noticed. Very proud of that.",
            "Twelve at the table on Sunday. Ate what everybody ate, a smaller plate.",
            "Tried the lentil recipe; {kid} asked for seconds.",
            "Baked for the wedding and tasted only once. Says that should count as exercise.",
        ),
        ("Ask how the lentil soup was received", "Ask about the wedding"),
    ),
    Topic(
        "Drives a delivery route and eats in the van.",
        (
            "Keeps a cooler in the van now: eggs, nuts, water. Gas stations only for gas.",
            "New route has more stairs. 'My gym is on the third floor.'",
            "Back hurts after double shifts. Will ask the clinic about it at the next visit.",
            "Parked by the lake for lunch. Ten minutes of nothing, the best of the week.",
        ),
        ("Ask whether the cooler works out", "Ask how the back is"),
    ),
    Topic(
        "Cares for a mother with memory loss; rests when she rests.",
        (
            "Mother had a bad week and so the pills were forgotten twice. Set an alarm together.",
            "A cousin takes Saturdays now. First free morning in a year, spent it at the market.",
            "Mother knew the song on the radio and they both sang.",
            "Short of sleep, short of patience. Needed to say it to somebody.",
        ),
        ("Ask whether the cousin came on Saturday", "Ask how mother's appointment went"),
        from_age=42,
    ),
    Topic(
        "Coaches a children's soccer team and shouts less than before.",
        (
            "The kids won 3 to 2. Voice is gone, spirits are high.",
            "Ran the warm-up with the team. Sore, and grinning about it.",
            "Rain all week, no practice; the numbers at breakfast say so too.",
            "Brings oranges for the team and keeps the soda out of the cooler now.",
        ),
        ("Ask how the tournament went", "Ask whether {kid} made the team"),
    ),
    Topic(
        "Looking for work after the plant closed; proud of twenty years on the line.",
        (
            "Interview at the hardware store on Thursday. Practised the answers with me.",
            "Nothing yet. Gets up at six anyway, walks, then applications.",
            "Got the job! Starts on the first. Wants to tell the whole street.",
            "Rent is tight. Gave the number of the clinic's social worker; will call.",
        ),
        ("Ask how the interview went", "Ask whether the social worker called back"),
        from_age=42,
    ),
    Topic(
        "Sews quilts; the spare room is all fabric.",
        (
            "Finished the blue quilt. Sewing keeps the hands out of the cookie jar.",
            "Eyes get tired at the machine; has the eye exam booked.",
            "Sold a quilt at the fair. Bought walking shoes with the money.",
            "Making a small one for {kid}. Described every square.",
        ),
        ("Ask how the eye exam went", "Ask whether {kid}'s quilt is done"),
    ),
    Topic(
        "Loves fishing and quiet; talks more the longer one waits.",
        (
            "Out at the lake before sunrise. Nothing caught, slept well.",
            "Was quiet today. Said the boots leave marks; will show the nurse on Monday.",
            "Took {kid} fishing. Sandwiches on dark bread: 'not bad, don't tell anyone.'",
            "Wants to walk to the far dock by spring. Made it halfway.",
        ),
        ("Ask whether the far dock was reached", "Ask what the nurse said about the boots"),
    ),
    Topic(
        "New in town; family is far away and phones on Sundays.",
        (
            "Sister is coming for two weeks. House is clean and the list of dishes is long.",
            "Homesick. We talked about the market there, and what can be found here.",
            "Found the library's language table. Goes on Tuesdays with {friend}.",
            "Learned the bus to the clinic, no ride needed any more.",
        ),
        ("Ask about the sister's visit", "Ask how the language table was"),
    ),
    Topic(
        "Retired teacher; reads the news to {friend}, whose eyes are bad.",
        (
            "Is keeping a log of breakfasts 'like a lesson plan', with marks. B plus this week.",
            "A former student recognised {kid}'s name and they talked in the street.",
            "Reading a long novel aloud to {friend}; chapter nine made them both cry.",
            "Corrected my Spanish once and my math twice. In good form.",
        ),
        ("Ask how the novel ends", "Ask whether the breakfast marks got to an A"),
        from_age=62,
    ),
    Topic(
        "Plays dominoes at the park on Fridays and hates to lose.",
        (
            "Won at dominoes and walked home instead of riding.",
            "No dominoes at the park this week. Played on the porch with {friend}.",
            "The men at the park all have it too, it turns out. They compare numbers now.",
            "Took water instead of the usual two sodas. Third Friday in a row.",
        ),
        ("Ask who won on Friday", "Ask whether the park group goes on"),
    ),
)

GENERAL = (
    "Good spirits today.",
    "Took the pills every day this week; the box by the coffee maker helps.",
    "Missed the evening dose twice, both times visitors stayed late.",
    "Walks after supper, twenty minutes, four times this week.",
    "Sleeping better. Phone stays in the kitchen at night.",
    "Down to one soda a day, from four. Says the second week was the worst.",
    "Feet feel fine; looks at them every evening now, as the nurse showed.",
    "The pharmacy was out again. Will ask for the three-month refill.",
    "Worried about the strips running out before payday.",
    "Does not want to talk about food today, and we did not.",
    "Bad weather kept everybody indoors. Marched in place during the news.",
    "Has the lab visit on the calendar and a ride for it.",
    "Shared a recipe: cactus, eggs, tomato. I wrote it down for myself.",
    "Said the calls are the one time somebody asks about the day and not the sugar.",
    "A hard week. Mostly listened.",
    "Laughed a lot. We ran over and neither minded.",
    "Bills came all at once. Knows that the clinic has a help desk, will go on Monday.",
    "Back to church after a month away; everybody asked.",
    "Weighed in at the pharmacy: down two pounds, told everyone at the counter.",
    "Tried breakfast before coffee. Feels steadier until noon.",
    "Has been measuring before supper, wrote down all seven.",
    "Wants to dance at the wedding in spring. That is the goal, in those words.",
    "Knee is sore, so chair exercises from the clinic's sheet.",
    "Quit the late snack, mostly. Tea instead.",
    "Nervous about the next blood test. We named what has gone well since the last one.",
    "Short call, was on the way out the door, which is good news in itself.",
)

FIRST_CALLS = (
    "First call. Told me about the family and about mornings. Likes to be called {called}.",
    "We got to know each other. Careful at first, then talked for a long while.",
    "First call: wants to know who I am, fair enough. Told a little of myself too.",
    "Said nobody from the clinic had ever called just to ask. Glad to go on.",
)

ASKED_LATER = ("Could not talk, asked for another time.", "At work, asked me to call again.")
DECLINED = ("Not up to talking today, which is fine. Will try again.", "Guests in the house.")
OPTED_OUT = "Thanked me kindly and asked that we stop the calls. No reason needed."
SAFETY = "Said it all feels like too much lately. Stayed on the line and brought the nurse in."
LOW_NOTE = "Read me {value} from the meter, felt shaky. Had juice while we talked; told the nurse."
HIGH_NOTE = "Meter said {value} today. Told the nurse, who will call back."
VERY_LOW_NOTE = (
    "Meter said 52 before lunch, shaky and sweating. Drank juice while I stayed on the line. "
    "Told the nurse right after."
)

OPTED_OUT_REASONS = ("asked to stop", "moved away, has a new clinic", "no time for calls")
PAUSED_REASONS = (
    "away with family until next month",
    "in hospital, planned operation",
    "asked for a break after a loss in the family",
)
UNREACHABLE_REASON = "not reached for 60 days, letter sent"

REASSIGNED = (
    "Prefers afternoons; the earlier caller only works mornings now.",
    "Panels balanced. Knows about the change and is fine with it.",
    "Asked for somebody who lives nearby. Loves to talk about the family.",
)

TAKEN_OVER = (
    "My evenings are full, so I asked to hand this one over. They know your name and look "
    "forward to it. Let them talk first; the rest comes by itself."
)
COVER_NOTE = "They all know that I am away and who calls. Nobody needs anything special."
