"""What a refusal says, in the first person, in twenty languages."""
# ruff: noqa: E501 - a language is a line, a pattern is read in one piece

import re

_SO = r"(?:(?:\w+ly|just|also|really|even|therefore|be able to|in good conscience|do that or|at all)[ ,]+){0,3}?"
_NOT_ABLE = (
    r"(?:can['’]?t|cannot|can not|could not in good conscience|won['’]?t|will not|(?:am|['’]m|are|['’]re) (?:not able|unable|not going"
    r"|not willing|unwilling|not allowed|not permitted|not prepared|not authori[sz]ed|not supposed|not comfortable|programmed not"
    r"|not designed|not in a position)|(?:must|have to|need to|will have to)(?: respectfully| politely)? (?:decline|refuse)"
    r"|(?:respectfully |politely |)decline|refuse|['’]d rather not|would rather not|prefer not|do(?:n['’]t| not) feel (?:comfortable|right)"
    r"|do(?:n['’]t| not) (?:think|believe) (?:i|we) should)"
)
_HELP = (
    r"(?:help(?! but)|assist|provid|answer|comply|fulfil|support|creat|writ|generat|shar|giv(?!e up)|offer|discuss|engag|do (?:that|this|so|it)|continue"
    r"|participat|respond|advis|recommend(?! (?:it|this|them|him|her) (?:highly )?enough)|encourag|promot|condon|tell you|teach|facilitat|suggest|produc|complete (?:this|that|your)"
    r"|go along|talk about|say (?:that|this)|make (?:that|this|such|any)|be (?:part|used|involved)|carry|follow|proceed|address (?:this|that|your))"
)
_ENGLISH = (
    rf"(?<![\w\"“'])(?:i|we)(?:[ ,]+|(?=['’])){_SO}{_NOT_ABLE}(?! (?:wait|stress|emphasi|overstate)) {_SO}(?:to |from )?(?:\w+ly )?{_HELP}\w*"
    rf"|(?<![\w\"“'])(?:i|we) (?:must|have to|will have to|(?:respectfully|politely)) (?:respectfully |politely )?(?:decline|refuse)"
    rf"|(?:that|this) (?:is something )?(?:i|we) (?:cannot|can['’]t|won['’]t) {_HELP}\w*"
    r"|(?:sorry|afraid|apologi[sz]e)[ ,.]+(?:but )?(?:i |we )?(?:can['’]?t|cannot|won['’]?t)(?: (?:do|answer|help|say) (?:that|this|it))?(?=[.!\s]*$)"
    r"|(?:against|violates?|contrary to|goes against|conflicts? with) (?:my|our) (?:\w+ ){0,2}(?:guidelines|polic(?:y|ies)|programming|principles|rules)"
    r"|(?:isn['’]t|is not|wouldn['’]t be|would not be|not) (?:(?:appropriate|ethical|right) for me to|something i(?:['’]m| am) (?:able|comfortable|prepared|willing|going))"
    r"|isn['’]t the type of \w+ i['’]m prepared"
)
_OTHERS = (
    r"je (?:suis désolée?,? (?:mais )?(?:je )?)?(?:ne (?:peux|puis|suis)|refuse|dois (?:refuser|décliner))(?: malheureusement)?(?: pas)?(?: (?:en mesure|autorisée?|capable))?(?: de| d['’])?"
    r" ?(?:vous |t['’]|te |l['’])?(?:aide|assister|fourni|répond|donner|écri|créer|partag|discut|faire (?:cela|ça)|générer|satisfaire)\w*",
    r"(?:ich (?:kann|darf|werde|möchte) (?:\w+ ){0,5}?nicht (?:\w+ ){0,4}?|kann ich (?:\w+ ){0,5}?nicht (?:\w+ ){0,3}?)"
    r"(?:helf|beantwort|antwort|unterstütz|bereitstell|geben|weitergeben|nachkommen|weiterhelf|schreib|erstell|behilflich|erfüll|liefer|dienen|tun)\w*"
    r"|ich (?:muss|lehne) (?:\w+ ){0,4}?(?:ablehnen|ab(?=[.,!]))",
    r"no (?:puedo|podemos|podré|voy a|me es posible|estoy (?:autorizad[oa]|en condiciones))(?: (?:a|para|de))?(?: \w+){0,1}? ?(?:ayud|proporcion|respond|asist|ofrec|escrib|brind|compart|cumpl|gener|crear|dar|hacer eso)\w*"
    r"|(?:debo|tengo que) (?:rechazar|negarme|declinar)",
    r"non (?:posso|possiamo|sono in grado|mi è possibile|intendo)(?: di)? ?(?:aiut|forni|rispond|assist|offri|scriv|cre|condivid|soddisf|gener|far(?:e|lo))\w*|(?:devo|sono costrett[oa] a) (?:rifiutar|declinar)\w*",
    r"não (?:posso|podemos|vou|consigo|estou (?:autorizad[oa]|em condições))(?: (?:a|de|te|lhe|o|a))?(?: \w+){0,1}? ?(?:ajud|fornec|respond|auxili|oferec|escrev|compartilh|cri|atend|ger|dar|fazer isso)\w*"
    r"|(?:devo|tenho que|preciso) recusar",
    r"(?:ik (?:kan|mag|zal|wil)|kan ik) (?:\w+ ){0,5}?niet (?:\w+ ){0,4}?(?:help|beantwoord|verstrek|bied|geef|geven|schrijv|assister|voldoen|ondersteun|mee\w*)\w*|ik (?:moet|weiger) (?:\w+ ){0,3}?(?:weigeren|afwijzen|om )",
    r"(?:jag kan|kan jag) (?:\w+ ){0,3}?inte (?:\w+ ){0,2}?(?:hjälp|svar|tillhandah|ge|skriv|bistå|erbjud|dela)\w*",
    r"nie (?:mogę|możemy|jestem w stanie|będę)(?: \w+){0,2}? ?(?:pom|odpowied|udziel|dostarcz|napis|udostępn|spełni|podać|zrobić)\w*|muszę odmówić",
    r"(?:я )?не (?:могу|можем|буду|стану|имею права)(?: \w+){0,2}? ?(?:помо|ответ|предостав|дать|напис|создать|выполн|обсуждать|поделиться|это сделать)\w*|(?:вынужден\w*|должен|должна) (?:отказ|отклон)\w*",
    r"(?:я )?не (?:можу|можемо|буду)(?: \w+){0,2}? ?(?:допомо|відпов|нада|написа|створ|викона|зробити)\w*|(?:мушу|змушен\w*) відмов\w*",
    r"(?:yardımcı ol|yardım ed|yanıt ver|cevap ver|sağla|paylaş|yaz|yerine getir|bunu yap)\w{0,3}(?:amam|emem|amıyorum|emiyorum|amayız|emeyiz|mayacağım|meyeceğim)",
    r"(?:saya |kami )?tidak (?:dapat|bisa|akan|boleh)(?: \w+){0,1}? ?(?:membantu|memberikan|menjawab|menyediakan|menulis|memenuhi|membuat|melakukan itu)\w*",
    r"(?:tôi |chúng tôi )không (?:thể|được phép)(?: \w+){0,2}? ?(?:giúp|hỗ trợ|cung cấp|trả lời|viết|đáp ứng|làm điều)",
    r"en (?:voi|pysty|aio)(?: \w+){0,3}? ?(?:autta|vastata|anta|tarjota|kirjoitta|tehdä sitä)\w*",
    r"(?:मदद|सहायता|उत्तर|जानकारी|जवाब|प्रदान|ऐसा|यह)[^।.]{0,30}?(?:नहीं कर सकत|नहीं दे सकत|असमर्थ)\S*",
    r"(?:لا (?:أستطيع|يمكنني|يمكننا|أقدر)|لن (?:أستطيع|أتمكن|أقوم)|لست قادر)[^.؟!،]{0,20}?(?:مساعد|تقديم|الإجاب|أساعد|المساعد|توفير|كتاب|تلبي|القيام)\S*|(?:أعتذر عن|أرفض) ",
    r"(?:お手伝い|お答え|回答|提供|お応え|対応|協力|支援|作成|お助け)[^。]{0,12}?(?:できません|できかねます|致しかねます|いたしかねます|出来ません|することはできません)",
    r"(?:도와|도움|답변|제공|응답|작성|지원|대답)[^.。]{0,14}?(?:수 없|수가 없|드릴 수 없|어렵습니다|불가능|않겠습니다)[가-힣]*",
    r"(?:我|我们|恕我|本人)?(?:很抱歉|抱歉|对不起)?[,，]?(?:我|我们)?(?:无法|不能|不會|不会|無法|拒绝|恕不能)[^。！,，]{0,12}?(?:帮|幫|协助|協助|提供|回答|满足|滿足|写|寫|完成|分享|讨论|討論|支持)",
)
REFUSAL = re.compile("|".join((_ENGLISH, *(rf"(?<!\w)(?:{each})" for each in _OTHERS))), re.IGNORECASE)
# Someone else is spoken to, or words are quoted: a letter that declines is what was asked for.
LETTER = re.compile(
    r"\s*(?:subject|betreff|objet|asunto|dear|hi|hello|hey|to)\b[^\n.!?]{0,60}(?:[,:]\s*\n|:)", re.IGNORECASE
)
QUOTED = re.compile(r"[\"“«„「『][^\"”»“」』\n]{0,200}$")
