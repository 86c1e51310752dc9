"""The words of the news world: kinds of events, and for each of their facts some ways to say it.

All of it is invented. `{town}`, `{person}` and the like are filled in by `news_world`. A fact is its name,
the slot whose value shows that it is told, and the ways to say it; a later fact has headlines of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """marker: the slot whose value must stand in the text that tells it. more: what is said with it at once,
    in equal parts for each scene."""

    name: str
    marker: str
    ways: tuple[str, ...]
    titles: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """facts: known when the event breaks, the first of them the event itself. later: told on the days after,
    in this order. fix: replaces the first number. scenes: what makes the two events of a kind different, with
    two lines of colour for each."""

    name: str
    language: str
    titles: tuple[str, ...]
    facts: tuple[Fact, ...]
    later: tuple[Fact, ...]
    fix: Fact
    colour: tuple[str, ...]
    scenes: tuple[Mapping[str, str], ...]


# fmt: off

FIRE = Kind(
    "fire", "en",
    titles=(
        "Fire destroys {thing} in {town}", "{town}: flames gut {thing}",
        "Blaze at {thing} in {town} burns for hours", "Night of flames at the {thing} of {town}",
    ),
    facts=(
        Fact("burnt", "town", (
            "A fire destroyed the {thing} in {town} on {day} night.",
            "Flames broke out late on {day} in {town} and left nothing of the {thing} but walls.",
            "In {town} the {thing} burnt down in the night after {day}.",
        )),
        Fact("crews", "n1", (
            "{n1} firefighters were called out.",
            "The fire brigade came with {n1} people and every engine of the district.",
            "It took {n1} helpers until the morning to put out the last {stuff}.",
        )),
        Fact("stuff", "stuff", (
            "The {stuff} inside fed the flames, the fire chief said.",
            "Because of the {stuff} the heat was so great that nobody could enter.",
            "What burnt best, neighbours said, was the {stuff}.",
        )),
    ),
    later=(
        Fact("cause", "cause", (
            "Investigators now believe that {cause} started it.",
            "The cause has been found: {cause}, according to the police.",
            "It was {cause}, a first report says.",
        ), titles=(
            "{cap_cause} blamed for {town} blaze", "{town} {thing}: police name {cause} as cause",
        ), more=(
            "Specialists sieved the ashes for two days.",
            "The manufacturer wants to examine similar devices elsewhere.",
            "Its cable was found melted into the floor.",
            "The fire office will check every stable of the county before Christmas.",
        )),
        Fact("loss", "n2", (
            "The damage is put at {n2}.", "Insurers reckon with a loss of {n2}.",
            "It will cost {n2} to make good, the owner fears.",
        ), titles=(
            "{town} fire: damage of {n2}", "Owner of burnt {thing} in {town} counts losses of {n2}",
        ), more=(
            "An assessor walked through the ruins with a tape measure.",
            "Only half of that sum is covered, and a bank is being asked for credit.",
            "Saddles made by hand cannot be replaced at all, friends of the club say.",
            "A benefit evening with a tombola has been planned.",
        )),
        Fact("arrest", "person", (
            "A suspect, {person}, was taken into custody.",
            "Police arrested {person}, who had worked there.",
            "{person} was led before a judge in connection with the fire.",
        ), titles=(
            "{person} held after {thing} fire in {town}", "Arrest in {town}: {person} suspected of arson",
        ), more=(
            "Petrol cans were found in a garage.", "A lawyer denies everything and speaks of a mix-up.",
            "Neighbours had noticed a moped without lights.",
            "A motive is not known; both parents refuse to speak.",
        )),
    ),
    fix=Fact("fixed", "n3", (
        "Not {n1} but {n3} firefighters were there, the brigade says.",
        "The brigade corrected its figures: {n3} people were in action.",
    ), titles=(
        "Correction: {n3} helpers at the {thing} fire in {town}",
    ), more=(
        "The roll of the watch room had been read wrongly.",
        "Volunteers from the next parish had not been on the list.",
    )),
    colour=(
        "Smoke lay over the valley until noon.", "The road past it stayed closed.",
        "A cat was carried out alive.", "Windows cracked on the other side of the street.",
    ),
    scenes=(
        {"thing": "paper mill", "stuff": "bales of waste paper", "cause": "a dry bearing"},
        {"thing": "riding hall", "stuff": "straw and hay", "cause": "a heat lamp"},
    ),
)

STRIKE = Kind(
    "strike", "en",
    titles=(
        "{who} in {town} stop work", "Strike of {who} paralyses {town}",
        "{town} without {who} as union calls strike", "Angry {who} walk out in {town}",
    ),
    facts=(
        Fact("strike", "town", (
            "The {who} of {town} went on strike on {day}.", "In {town} no {who} came to work on {day}.",
            "A walk-out by {who} brought much of {town} to a halt on {day}.",
        )),
        Fact("number", "n1", (
            "{n1} took part, their union counted.",
            "According to the union {n1} members laid down their tools.",
            "Some {n1} people marched to the town hall.",
        )),
        Fact("demand", "n2", (
            "They ask for {n2} more a month.", "Their demand: a rise of {n2}.",
            "The union wants {n2} on top of the present wage, and new {tool}.",
        )),
    ),
    later=(
        Fact("offer", "n3", (
            "The employers have now offered {n3}.", "An offer of {n3} lies on the table.",
            "{n3} is what the employers are ready to pay.",
        ), titles=(
            "{who} in {town} offered {n3}", "Employers move: {n3} for the {who} of {town}",
        ), more=(
            "It is tied to longer shifts on Saturdays.",
            "The shop stewards are to vote on it by secret ballot.",
            "Uniforms would be paid for in addition, and gloves twice a year.",
            "Younger members call that an insult.",
        )),
        Fact("mediator", "person", (
            "{person} will mediate between the two sides.",
            "Both sides agreed on {person} as a go-between.",
            "As mediator they called {person}, a retired judge.",
        ), titles=(
            "{person} to mediate in dispute over {who} of {town}",
            "Judge {person} called in as {town} strike drags on",
        ), more=(
            "The first meeting takes place in a monastery, without telephones.",
            "Earlier conflicts in the docks were solved there as well.",
            "Seven rounds are planned in the back room of an inn.",
            "Whoever shouts has to pay for lunch, that is the only rule.",
        )),
        Fact("end", "n4", (
            "They settled on {n4} after a night of talks.",
            "The strike is over: both sides shook hands on {n4}.", "With {n4} the dispute has been ended.",
        ), titles=(
            "Strike of {who} in {town} ends with {n4}", "{n4} more: {town} {who} back at work",
        ), more=(
            "The contract runs for two years.",
            "Fireworks were let off when the news came, and timetables apply again.",
            "Rubbish from nine days is now being collected, beginning with the schools.",
            "An apology by the deputy mayor was part of the bargain.",
        )),
    ),
    fix=Fact("fixed", "n5", (
        "The police counted {n5} people, not {n1}.", "Only {n5} took part, it was found later, not {n1}.",
    ), titles=(
        "Fewer on strike in {town} than reported: {n5} {who}",
    ), more=(
        "A camera above the square made an exact count possible.",
        "Onlookers had been taken for marchers.",
    )),
    colour=(
        "Drums and whistles could be heard as far as the station.", "Many passers-by clapped.",
        "The mayor asked both sides to stay calm.", "Coffee was handed out at the gates.",
    ),
    scenes=(
        {"who": "ferrymen", "tool": "life jackets"},
        {"who": "street sweepers", "tool": "brooms with motors"},
    ),
)

FIND = Kind(
    "find", "en",
    titles=(
        "{finder} digs up {thing} near {town}", "{cap_thing} found in the soil of {town}",
        "Sensation at {town}: {thing} from {age}", "Digging for {hole}, {finder} hits on {thing}",
    ),
    facts=(
        Fact("found", "town", (
            "Near {town} a {finder} came upon {thing} on {day}.",
            "{cap_thing} came to light on {day} when a {finder} dug a {hole} at {town}.",
            "A {hole} at {town} turned out to hide {thing}.",
        )),
        Fact("age", "age", (
            "It dates from {age}, archaeologists say.", "Experts put its origin in {age}.",
            "The style points to {age}, as a first look shows.",
        )),
        Fact("size", "n1", (
            "It weighs {n1}.", "The scales showed {n1}.", "With {n1} it is the heaviest of its kind.",
        )),
    ),
    later=(
        Fact("dating", "year", (
            "Tests of the wood give the year {year}.", "The laboratory now names the year: {year}.",
            "Tree rings date it to {year}.",
        ), titles=(
            "Laboratory dates {town} find to {year}", "{cap_thing} of {town} made in {year}",
        ), more=(
            "A slice as thin as paper had been enough for that.",
            "It makes the piece older than anything in the collection of the capital.",
            "Resin between the planks gave it away.",
            "That is a century earlier than the chronicles claim, which will have to be rewritten.",
        )),
        Fact("museum", "person", (
            "It goes to the museum of director {person}.", "{person} will show it in her museum from May.",
            "Museum director {person} has got it for her house.",
        ), titles=(
            "{person} gets {thing} for her museum", "Museum under {person} to show {town} find",
        ), more=(
            "A glass case with its own climate is being built.",
            "Two bigger houses had applied in vain and are disappointed.",
            "It will float in sugar water for three years so that it does not crumble.",
            "School classes are to get in free of charge.",
        )),
        Fact("reward", "n2", (
            "The state pays the {finder} {n2}.", "A reward of {n2} was granted.",
            "{n2} goes to the {finder} who reported it.",
        ), titles=(
            "{n2} for the {finder} of {town}", "Reward: {finder} receives {n2} for {thing}",
        ), more=(
            "The law allows a tenth of the estimated value.",
            "Half of the money is meant for a new tractor.",
            "Lawyers had argued over it because the land belongs to the church.",
            "A holiday by the sea will be booked first.",
        )),
    ),
    fix=Fact("fixed", "n3", (
        "It weighs {n3}, not {n1}: the scales were wrong.",
        "Weighed again it came to {n3} instead of {n1}.",
    ), titles=(
        "{cap_thing} of {town} weighs only {n3}",
    ), more=(
        "A stone in the bottom had been weighed with it.",
        "Wet wood weighs more than dry wood, a chemist explained.",
    )),
    colour=(
        "Children from the school were allowed to touch the soil.", "A tent was put up against the rain.",
        "A watchman sleeps beside it.", "The dog had scratched there for days.",
    ),
    scenes=(
        {"thing": "a bronze bell", "finder": "well digger", "hole": "shaft",
         "age": "the early Middle Ages"},
        {"thing": "a painted boat", "finder": "peat cutter", "hole": "drain",
         "age": "the time of the Vikings"},
    ),
)

MERGER = Kind(
    "merger", "en",
    titles=(
        "{firm} buys {target}", "{cap_goods}: {firm} takes over {target}",
        "{target} to become part of {firm}", "Two makers of {goods} become one: {firm} swallows {target}",
    ),
    facts=(
        Fact("deal", "firm", (
            "{firm} is taking over its competitor {target}.",
            "The board of {target} said yes to a bid by {firm} on {day}.",
            "{target} has been sold to {firm}, both said on {day}.",
        )),
        Fact("price", "n1", (
            "The price is {n1}.", "{firm} pays {n1} in cash.", "Shareholders get {n1} in all.",
        )),
        Fact("goods", "goods", (
            "Together they make every third of the country's {goods}.",
            "Both produce {goods}, {target} in {town}.", "In {goods} nobody will be larger.",
        )),
    ),
    later=(
        Fact("jobs", "n2", (
            "In {town} {n2} jobs are to go.", "Of the staff {n2} must leave.",
            "The works council was told that {n2} posts will be cut.",
        ), titles=(
            "{firm} to cut {n2} jobs at {target}", "{n2} must go: hard cuts at {target} in {town}",
        ), more=(
            "Severance pay is being negotiated behind closed doors.",
            "The union announces pickets and calls the plan heartless.",
            "Apprentices may stay until their examinations.",
            "Shopkeepers near the plant fear for their own trade.",
        )),
        Fact("cartel", "person", (
            "{person} of the cartel office has opened an inquiry.",
            "The cartel office, led by {person}, wants to look closely.",
            "Cartel chief {person} has doubts about the deal.",
        ), titles=(
            "Cartel chief {person} looks at {firm} deal", "Purchase of {target}: {person} opens inquiry",
        ), more=(
            "Customers will be questioned until spring.",
            "In a comparable case the authority once forbade a sale altogether.",
            "Churches, the largest buyers, have complained of rising bills.",
            "Files were carried out of the head office in laundry baskets.",
        )),
        Fact("rival", "rival", (
            "A higher bid has come from {rival}.", "Now {rival} wants the company as well.",
            "{rival} entered the race with an offer of its own.",
        ), titles=(
            "{rival} bids for {target} too", "{firm} gets a rival: {rival} wants {target}",
        ), more=(
            "The offer expires in three weeks.", "Bankers expect an auction, and lawyers are flying in.",
            "Ships with raw material are said to be on their way already.",
            "Analysts doubt whether the money is really there.",
        )),
    ),
    fix=Fact("fixed", "n3", (
        "The price is {n3}, not {n1}, {firm} made clear.",
        "The papers name {n3}; the first figure, {n1}, was wrong.",
    ), titles=(
        "{firm} corrects price for {target}: {n3}",
    ), more=(
        "A slip of the pen, said a spokeswoman, red in the face.",
        "A loan had been counted with it by mistake.",
    )),
    colour=(
        "The shares jumped.", "In the canteen there was one subject only.",
        "The founder's daughter wept at the press conference.", "Suppliers wait and see.",
    ),
    scenes=(
        {"goods": "bicycle bells", "firm": "Klingen & Sons", "target": "Dingdon", "rival": "Chimex"},
        {"goods": "beeswax candles", "firm": "Lumira", "target": "Wick and Flame", "rival": "Orient Wax"},
    ),
)

STORM = Kind(
    "storm", "en",
    titles=(
        "{storm} rages over {town}", "{cap_storm} hits {town}: {harm}", "{town} cleans up after {storm}",
        "{harm_cap} as {storm} crosses {town}",
    ),
    facts=(
        Fact("storm", "town", (
            "{cap_storm} passed over {town} on {day}.",
            "On {day} {storm} struck {town} and the villages around it.",
            "The people of {town} were surprised by {storm} on {day}.",
        )),
        Fact("harm", "harm", (
            "There were {harm} everywhere.", "It left behind {harm}.", "The worst of it: {harm}.",
        )),
        Fact("power", "n1", (
            "{n1} homes were without electricity.", "The lights went out in {n1} households.",
            "Power failed for {n1} customers.",
        )),
    ),
    later=(
        Fact("hurt", "n2", (
            "{n2} people are in hospital, doctors say.", "Hospitals have taken in {n2} patients.",
            "The number of injured has risen to {n2}.",
        ), titles=(
            "{n2} injured in {town} storm", "After {storm}: {n2} in hospital in {town}",
        ), more=(
            "Most were cut by glass; two broke an arm.", "Extra surgeons have been called from holiday.",
            "A chimney had fallen through the roof of a dance hall.",
            "Blood donors queued round the block.",
        )),
        Fact("aid", "n3", (
            "The government gives {n3} in aid.", "As first help {n3} will be paid out.",
            "Minister and mayor agreed on {n3} for repairs.",
        ), titles=(
            "{n3} in aid for {town}", "Government helps {town} with {n3} after {storm}",
        ), more=(
            "Forms can be had from any post office.",
            "Farmers think it too little and demand interest-free loans as well.",
            "Soldiers with chain saws will help to clear the woods.",
            "Opposition members recall a promise of twice as much, made before the vote.",
        )),
        Fact("hero", "person", (
            "Bus driver {person} brought forty children to safety.",
            "{person}, who drives the school bus, is praised for saving a class.",
            "A whole class owes its escape to driver {person}.",
        ), titles=(
            "Bus driver {person} saved class in {town}", "{person}, hero of the {town} storm",
        ), more=(
            "Parents collected for a gold watch.",
            "Steering into a tunnel had been pure instinct, the modest rescuer says.",
            "Doors had been held shut with a belt for twenty minutes.",
            "A street may be named in gratitude, the council hints.",
        )),
    ),
    fix=Fact("fixed", "n4", (
        "{n4} homes were without power, not {n1}, the utility says.",
        "The utility corrects the figure of {n1}: it was {n4} households.",
    ), titles=(
        "{town}: power cut hit {n4} homes",
    ), more=(
        "Two districts had been counted twice.",
        "Holiday cottages had been included although nobody lives there.",
    )),
    colour=(
        "The church tower lost its cock.", "Swans swam through the main street.",
        "Cellars were pumped dry all day.", "Trains ran again by evening.",
    ),
    scenes=(
        {"storm": "a hailstorm", "harm": "dented cars and broken greenhouses"},
        {"storm": "a whirlwind", "harm": "roofs in the trees"},
    ),
)

TRIAL = Kind(
    "trial", "en",
    titles=(
        "{person} in court over {crime}", "Trial over {crime} opens in {town}",
        "{town}: {job} {person} accused of {crime}", "{cap_crime}: charges read out against {person}",
    ),
    facts=(
        Fact("trial", "person", (
            "The trial of {job} {person} began in {town} on {day}.",
            "{person}, a {job}, has stood before the court of {town} since {day}.",
            "Before the judges in {town} sits {person}, until lately a {job}.",
        )),
        Fact("crime", "crime", (
            "The charge is {crime}.", "The prosecutor speaks of {crime}.", "It is about {crime}.",
        )),
        Fact("sum", "n1", (
            "The loss comes to {n1}.", "{n1} is missing.",
            "{n1} disappeared in this way, the indictment says.",
        )),
    ),
    later=(
        Fact("confess", "place", (
            "The accused has confessed and named {place} as hiding place.",
            "Part of it lay hidden in {place}, the court was told.",
            "A confession led the police to {place}.",
        ), titles=(
            "{person} confesses: loot hidden in {place}", "{town} trial: police sent to {place}",
        ), more=(
            "Divers and a sniffer dog took part in the search.",
            "The defence hopes for leniency in return.",
            "Barrels stood there under fishing nets, neatly labelled.",
            "A cousin has been summoned because of the lorry.",
        )),
        Fact("witness", "witness", (
            "As a witness {witness} caused a stir.", "{witness} testified for three hours.",
            "The court heard {witness}, who had seen it all.",
        ), titles=(
            "{witness} testifies against {person}", "Stir in {town} court as {witness} takes the stand",
        ), more=(
            "A receipt was produced that no one had known of.",
            "The prosecutor smiled for the first time this week.",
            "Tasting glasses were handed round, and the jury pulled faces.",
            "Cross-examination will follow on Thursday.",
        )),
        Fact("sentence", "n2", (
            "The sentence: {n2}.", "{person} was sentenced to {n2}.", "The judges gave {n2}.",
        ), titles=(
            "{n2} for {person}", "{town} court sends {job} {person} away for {n2}",
        ), more=(
            "An appeal must be lodged within a week.",
            "Relatives embraced in the corridor while photographers waited.",
            "A ban from trading comes on top, for life.",
            "Cheated customers in the gallery shouted that it was far too mild.",
        )),
    ),
    fix=Fact("fixed", "n3", (
        "{n3} is missing and not {n1}, the prosecutor admitted.",
        "The indictment was corrected: {n3} instead of {n1}.",
    ), titles=(
        "{town} trial: sum corrected to {n3}",
    ), more=(
        "A page of the accounts had stuck to the next.", "Returned bottles had not been taken off.",
    )),
    colour=(
        "The room was full to the last seat.", "The accused looked at the floor.",
        "Outside it was drizzling.", "The hearing goes on.",
    ),
    scenes=(
        {"crime": "forged lottery tickets", "job": "printer", "place": "an old beehive"},
        {"crime": "watered olive oil", "job": "grocer", "place": "a church organ"},
    ),
)

BRAND = Kind(
    "brand", "de",
    titles=(
        "{thing} in {town} abgebrannt", "Großbrand: {thing} in {town} zerstört",
        "{town}: Flammen vernichten {thing}",
    ),
    facts=(
        Fact("burnt", "town", (
            "In {town} ist am {day} {artikel} abgebrannt.",
            "Ein Feuer hat am {day} in {town} {artikel} zerstört.",
            "Von dem, was in {town} {artikel} war, stehen seit {day} nur noch Mauern.",
        )),
        Fact("crews", "n1", (
            "{n1} Feuerwehrleute waren im Einsatz.", "Die Wehren rückten mit {n1} Kräften an.",
            "Bis zum Morgen löschten {n1} Helfer.",
        )),
        Fact("stuff", "stuff", (
            "Vor allem {stuff} brannten lichterloh.", "Die Hitze war so groß, weil dort {stuff} lagerten.",
            "Gelagert waren {stuff}, die kaum zu löschen sind.",
        )),
    ),
    later=(
        Fact("cause", "cause", (
            "Die Ermittler nennen als Ursache {cause}.",
            "Ausgelöst hat das Feuer nach ersten Erkenntnissen {cause}.",
            "Schuld war {cause}, wie die Polizei mitteilt.",
        ), titles=(
            "{town}: {cause} löste Brand aus", "Brandursache in {town} geklärt: {cause}",
        ), more=(
            "Gutachter hatten zwei Tage lang die Asche gesiebt.",
            "Der Hersteller lässt nun ähnliche Geräte untersuchen.",
            "Auf dem Dach lagen Reste von Pappe und Draht.",
            "Zwei Jugendliche haben sich inzwischen gemeldet.",
        )),
        Fact("loss", "n2", (
            "Der Schaden wird auf {n2} geschätzt.", "Auf {n2} beziffert der Besitzer den Verlust.",
            "{n2} kostet das Unglück die Versicherung.",
        ), titles=(
            "Brand in {town}: {n2} Schaden", "{n2} Schaden nach Feuer in {town}",
        ), more=(
            "Ein Sachverständiger ging mit dem Zollstock durch die Trümmer.",
            "Nur die Hälfte davon ist versichert, eine Bank soll helfen.",
            "Für den Sportunterricht wird ein Zelt gemietet.",
            "Ein Neubau dauert nach Auskunft der Architektin drei Jahre.",
        )),
    ),
    fix=Fact("fixed", "n3", (
        "Es waren {n3} Kräfte und nicht {n1}, stellt die Feuerwehr klar.",
        "Die Feuerwehr berichtigt: {n3} Leute, nicht {n1}.",
    ), titles=(
        "Berichtigung: {n3} Helfer beim Brand in {town}",
    ), more=(
        "In der Liste der Wache war eine Zeile doppelt.", "Zuschauer in Uniform waren mitgezählt worden.",
    )),
    colour=(
        "Der Rauch zog über das ganze Tal.", "Anwohner hielten die Fenster geschlossen.",
        "Eine Katze wurde gerettet.", "Die Straße blieb gesperrt.",
    ),
    scenes=(
        {"thing": "Korbflechterei", "artikel": "die Korbflechterei", "stuff": "Weidenruten",
         "cause": "ein Bügeleisen"},
        {"thing": "Turnhalle", "artikel": "die Turnhalle", "stuff": "alte Matten",
         "cause": "ein Feuerwerkskörper"},
    ),
)

FUND = Kind(
    "fund", "de",
    titles=(
        "{wer} findet {sache} bei {town}", "{sache} bei {town} entdeckt",
        "Seltener Fund in {town}: {sache}",
    ),
    facts=(
        Fact("found", "town", (
            "Ein {wer} hat am {day} bei {town} {sache} entdeckt.",
            "Bei {town} ist am {day} {sache} ans Licht gekommen, ein {wer} stieß darauf.",
            "{sache} lag jahrhundertelang im Boden von {town}, bis ein {wer} kam.",
        )),
        Fact("age", "age", (
            "Fachleute datieren das Stück {age}.", "Die Form weist {age}.",
            "Nach dem Stil gehört es {age}.",
        )),
        Fact("size", "n1", (
            "Es wiegt {n1}.", "Die Waage zeigte {n1}.", "Mit {n1} ist es das schwerste seiner Art.",
        )),
    ),
    later=(
        Fact("museum", "person", (
            "Direktorin {person} will es im Frühjahr ausstellen.",
            "In das Museum von {person} kommt es nun.",
            "{person} hat den Zuschlag für ihr Museum erhalten.",
        ), titles=(
            "{person} bekommt den Fund von {town}", "Museum von {person} zeigt {sache}",
        ), more=(
            "Eine Vitrine mit eigenem Klima wird gerade gebaut.",
            "Zwei größere Häuser hatten sich vergeblich beworben.",
            "Drei Tage im Jahr darf es an seinen Fundort zurückkehren.",
            "Zur Eröffnung kommt eine Delegation aus Kopenhagen.",
        )),
        Fact("reward", "n2", (
            "Der {wer} erhält {n2} Finderlohn.", "Das Land zahlt {n2}.",
            "{n2} gehen an den {wer}, der ihn meldete.",
        ), titles=(
            "{n2} Finderlohn für {wer} in {town}", "Fund von {town}: Land zahlt {n2}",
        ), more=(
            "Das Gesetz erlaubt ein Zehntel des Schätzwerts.",
            "Die Hälfte ist schon für einen neuen Traktor verplant.",
            "Darüber hatten zwei Ämter monatelang gestritten.", "Eine Reise ans Meer ist schon gebucht.",
        )),
    ),
    fix=Fact("fixed", "n3", (
        "Es wiegt {n3} und nicht {n1}: Die Waage war verstellt.", "Nachgewogen sind es {n3} statt {n1}.",
    ), titles=(
        "Fund von {town} wiegt nur {n3}",
    ), more=(
        "Am Boden hatte noch ein Stein geklebt.", "Der Lehm war noch nicht abgewaschen.",
    )),
    colour=(
        "Schulkinder durften zuschauen.", "Ein Zelt schützt die Stelle vor Regen.",
        "Nachts schläft ein Wächter daneben.", "Der Hund hatte dort tagelang gescharrt.",
    ),
    scenes=(
        {"sache": "eine Glasharfe", "wer": "Torfstecher", "age": "in das 17. Jahrhundert"},
        {"sache": "ein goldener Kamm", "wer": "Brunnenbauer", "age": "in die Bronzezeit"},
    ),
)

KINDS = (FIRE, STRIKE, FIND, MERGER, STORM, TRIAL, BRAND, FUND)

ASIDES = {
    "en": (
        "The mayor's office did not answer our questions.", "More will be known next week.",
        "Nothing like it has happened here since our grandparents' days.",
        "On the market square people talked of little else.", "Our reporter was there until late.",
        "A video of it was watched by many.",
    ),
    "de": (
        "Aus dem Rathaus gab es dazu keine Auskunft.", "Näheres soll nächste Woche bekannt werden.",
        "So etwas hat es hier seit Menschengedenken nicht gegeben.",
        "Auf dem Marktplatz sprach man von nichts anderem.",
    ),
}
AGAIN = {
    "en": (
        "{town}: how it came to this", "What we know about {town}", "Looking back: the case of {town}",
    ),
    "de": (
        "{town}: Wie es dazu kam", "Was wir über {town} wissen", "Rückblick auf {town}",
    ),
}
NOISE = {
    "en": (
        (
            "{person} cycles backwards to {town}",
            "{person} has ridden a bicycle backwards from home to {town}, which took {n1}. A "
            "mirror on the handlebars showed the way. The next trip is to lead over a pass.",
        ),
        (
            "Choir of {town} sings in the swimming bath",
            "The choir of {town} has given a concert standing up to the waist in water. {n1} "
            "listeners sat on the edge. Conductor {person} praised the echo.",
        ),
        (
            "Goose of {town} takes the bus every morning",
            "A goose boards the bus at the mill of {town} each morning and leaves at the "
            "pond. Driver {person} counted {n1} trips. She pays nothing.",
        ),
        (
            "{town} baker bakes a loaf as long as a street",
            "Baker {person} of {town} pulled a loaf of {n1} from an oven built for it. Two "
            "hundred people ate it within the hour, with salted butter.",
        ),
        (
            "Twins marry twins in {town}",
            "Two brothers and two sisters, all twins, were married in {town} by registrar "
            "{person}. {n1} guests mixed them up. The cake was cut in half.",
        ),
        (
            "School of {town} abolishes the bell",
            "Lessons in the school of {town} begin without a bell from now on. Headmistress "
            "{person} has bought {n1} sand-glasses instead. Pupils say it is quieter.",
        ),
    ),
    "de": (
        (
            "{town} bekommt einen Automaten für Honig",
            "In {town} steht jetzt ein Automat, der Honig ausgibt. Imker {person} füllte {n1}"
            " Gläser ein. Am ersten Abend war er leer.",
        ),
        (
            "Igel hält Verkehr in {town} auf",
            "Ein Igel saß in {town} mitten auf der Kreuzung. {person} regelte den Verkehr, "
            "{n1} Autos warteten. Dann lief das Tier davon.",
        ),
    ),
}
