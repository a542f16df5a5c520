/**
 * Card numbers that brands and gateways publish for testing. They belong to nobody, and they are the only card numbers
 * that may be in this repository. Sources: the public test pages of Stripe, Adyen, PayPal, Braintree, Worldpay,
 * Authorize.Net, the Mastercard gateway, Cielo, iyzico, PayTR, PayU India, Cashfree, Interswitch, Paystack, Flutterwave,
 * YooKassa, Tochka, Payture and VNPAY.
 */
export const PUBLISHED_TEST_NUMBERS: Readonly<Record<string, readonly string[]>> = {
  Visa: [
    "4242424242424242",
    "4000056655665556",
    "4111111111111111",
    "4012888888881881",
    "4222222222222",
    "4007000000027",
    "4988438843884305",
    "4444333322221111",
    "4462030000000000",
    "4917610000000000",
    "4012000033330026",
    "4111141011111111116",
  ],
  Mastercard: [
    "5555555555554444",
    "2223003122003222",
    "5200828282828210",
    "5105105105105100",
    "5577000055770004",
    "2222400070000005",
    "2720990000000015",
    "5454545454545454",
    "5424000000000015",
  ],
  "American Express": ["378282246310005", "371449635398431", "378734493671000", "370000000000002"],
  Discover: [
    "6011111111111117",
    "6011000990139424",
    "6011981111111113",
    "6445644564456445",
    "6011601160116611",
    "6011000000000012",
  ],
  "Diners Club": [
    "30569309025904",
    "38520000023237",
    "36227206271667",
    "3056930009020004",
    "36006666333344",
    "38000000000006",
    "36259600000012",
  ],
  JCB: ["3530111333300000", "3566002020360505", "3569990010095841", "3528000000000007", "3088000000000017"],
  UnionPay: [
    "6200000000000005",
    "6200000000000047",
    "6205500000000000004",
    "8171999927660000",
    "8171999900000000021",
    "6243030000000001",
    "8163999900010",
  ],
  Maestro: [
    "6304000000000000",
    "6771798021000008",
    "6759649826438453",
    "501800000009",
    "5000550000000029",
    "6799990100000000019",
    "5641820000000005",
    "6390028880000000010",
    "6331101999990016",
    "6703444444444449",
    "5610591081018250",
  ],
  Dankort: ["5019717010103742", "5019555544445555"],
  Mir: ["2201382000000013", "2202208311110010", "2200000000000053", "2200111753579001"],
  RuPay: ["6082015309577308", "6074825972083818", "6074828163369590"],
  Troy: ["9792030394440796", "9792020000000001", "9792072000017956", "6501700194147183"],
  Elo: ["5066991111111118", "6362970000457013"],
  "Hipercard and Hiper": ["6062820524845321", "6062825624254001", "6370950000000005"],
  Verve: [
    "5060666666666666666",
    "5061460410120223210",
    "5061020000000000094",
    "5060990580000217499",
    "5061460166976054667",
  ],
  Napas: ["9704198526191432198"],
};

export const ALL_TEST_NUMBERS: readonly string[] = Object.values(PUBLISHED_TEST_NUMBERS).flat();

/** The check of ISO/IEC 7812-1 annex B, digit by digit, for tests that must not ask the code under test. */
export function isLuhnValid(number: string): boolean {
  const sum = [...number].reverse().reduce((total, digit, index) => {
    const weighted = index % 2 === 1 ? Number(digit) * 2 : Number(digit);
    return total + (weighted > 9 ? weighted - 9 : weighted);
  }, 0);
  return sum % 10 === 0;
}
