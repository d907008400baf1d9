"""Languages in learnt scripts that no model here has learnt, told by their commonest words."""

# Different words of these languages, and their share of a text: 1 of 19,000 texts in learnt languages has as many.
FEWEST, SHARE = 2, 0.12
# Without words that are common in a learnt language (in 8 of 19,000 of its texts).
_WORDS = {
    "cs": "aby bych byl bylo být dnes jaké jejich ještě jsem jsme jsou jste kde když kolik kterou která které "
    "kterém který kterých mezi mohou máte může můžete nebo nejsou není než něco podle pokud pouze pro proto "
    "protože před přes při také velmi více však že",
    "sk": "aby ak ako aké alebo bolo byť cez chcel deň dnes dobrý ešte iba kde keď koľko ktorej ktorom ktorá ktoré "
    "ktorú ktorý ktorých majú medzi máte môže môžete môžu než niečo podľa pre pred preto pretože pri sme ste "
    "sú tiež veľmi viac však že",
    "sl": "ali bi bil bilo biti danes dva dve gre ima imate kaj katere kateri ker kje ko koliko kot lahko mora "
    "moramo nekaj njihov prav pred pri ste tudi vendar več vse zakaj zato zelo še",
    "hr": "ako ali bih bilo biste biti danas gdje ili ima imaju između jer jeste jesu još kada kako kao koja koje "
    "kojem koji kojih kojoj koliko kroz li mnogo mogu može možete nego nije njihov oko osoba pa prema samo "
    "smo ste sve također tijekom treba uz više vrlo zašto zbog što",
    "hu": "aki akik akkor alatt amely amelynek ami az azok azt csak egy ez ezek ezt hanem hogy illetve kell két "
    "között lehet lenne meg mennyibe mert minden mint már még nagyon olyan pedig során szeretném szerint után "
    "vagy vagyok valamint vannak volna volt által és",
    "et": "aga enne inimese ka kaks kas kes kui kuid kuidas kus kõik meie mida mille mina mis nagu nende ning olen "
    "olete oma palju peab pärast saab saate seda selle siis teie täna väga või võib üle",
    "lv": "ar arī bet bija būt cik divi diviem esat ir jūs kad kas ko kur kuru kurā kā lai līdz mēs nav nekā pie "
    "pēc savu tas tiek tikai vairāk viss viņa viņš ļoti šo šodien",
    "lt": "apie ar aš bet buvo būti daugiau dėl gali ir iš jau jiems jūs jų kad kai kaip kur kuri kurie kurio "
    "kurios kuris ką labai mes nes nuo nėra prie savo taip tik yra šiandien",
    "ro": "aceasta această acest acestea astăzi avea aveți aș bună cu cum când cât că dacă doi două după fi foarte "
    "fost lor mai pe pentru poate pot până sunt să toate trebuie unde în între și",
    "sw": "ambao ambayo baada bado bila cha gani hadi hao hapa hii hiki hiyo huo huu ili jinsi kabla kama katika "
    "kila kutoka kuwa kwa kwenye lakini lazima leo mimi mtu sana sisi vya wa wake wao watu wewe yake yao yetu "
    "zaidi",
    "tl": "ako ang ay bakit bawat dahil gusto hindi ikaw isang ito kailan kayo kong kung lang mga mo mula namin "
    "nasa natin ng ngayon nila nito niya pa paano rin saan sila siya tayo upang",
}
_ALL = frozenset(" ".join(_WORDS.values()).split())
# Letters of these languages alone; č, š, ž, ć and ă stand in names that everybody writes.
_LETTERS = frozenset("ěřůďťľĺŕőűėįųģķļņ")


def unlearnt_language(letters: str) -> bool:
    """Whether a text that is `lettered` is in one of these languages: Czech, Hungarian, Romanian, Swahili, Tagalog, …

    >>> unlearnt_language(" ki je bil več kot tudi "), unlearnt_language(" see you at the bar ")
    (True, False)
    """
    words = letters.split()
    found = [word for word in words if word in _ALL or not _LETTERS.isdisjoint(word)]
    return len(set(found)) >= FEWEST and len(found) >= SHARE * len(words)
