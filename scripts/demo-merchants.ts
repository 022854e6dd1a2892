import type { ShopKind } from "./demo-shop-kinds.ts";

export type DemoCurrency = "JPY" | "EUR" | "GBP" | "USD" | "INR";

export type DemoMerchant = {
  merchant_id: string;
  name: string;
  kind: ShopKind;
  /** IANA zone of the shop: opening hours and weekdays are those of its street. */
  timezone: string;
  currency: DemoCurrency;
  /** ISO 3166-1 alpha-2. */
  country: string;
  location: string;
  grade: "standard" | "plus" | "premier";
  /** Payments relative to an ordinary shop's of the same kind. */
  popularity: number;
};

/** The fifty made-up shops of the demo, always the same. */
export function demoMerchants(): DemoMerchant[] {
  return REGIONS.flatMap(({ shops, ...region }) =>
    shops.map(([merchant_id, name, kind, location, popularity]) => ({
      merchant_id,
      name,
      kind,
      ...region,
      location,
      grade: popularity >= 2 ? "premier" : popularity >= 1 ? "plus" : "standard",
      popularity,
    })),
  );
}

type Region = Pick<DemoMerchant, "timezone" | "currency" | "country"> & {
  shops: [merchant_id: string, name: string, kind: ShopKind, location: string, popularity: number][];
};

const REGIONS: Region[] = [
  {
    timezone: "Asia/Tokyo",
    currency: "JPY",
    country: "JP",
    shops: [
      ["cafe-hoshino", "Café Hoshino", "cafe", "Tokyo-Kichijoji", 2.2],
      ["kissa-komorebi", "Kissa Komorebi", "cafe", "Kyoto-Sakyo", 0.8],
      ["aoyama-roasters", "Aoyama Roasters", "cafe", "Tokyo-Aoyama", 1.6],
      ["cafe-minato", "Café Minato", "cafe", "Yokohama-Naka", 0.7],
      ["tanuki-coffee", "Tanuki Coffee", "cafe", "Sapporo-Chuo", 0.9],
      ["ramen-kaze", "Ramen Kaze", "ramen", "Fukuoka-Hakata", 1.5],
      ["menya-tsubaki", "Menya Tsubaki", "ramen", "Tokyo-Takadanobaba", 1.3],
      ["ramen-hokuto", "Ramen Hokuto", "ramen", "Sapporo-Susukino", 1.1],
      ["tonkotsu-daruma", "Tonkotsu Daruma", "ramen", "Osaka-Namba", 1.2],
      ["shio-to-umi", "Shio to Umi", "ramen", "Kamakura", 0.6],
      ["izakaya-mameya", "Izakaya Mameya", "izakaya", "Tokyo-Nakameguro", 0.9],
      ["toriya-umeda", "Toriya Umeda", "izakaya", "Osaka-Umeda", 1.2],
      ["sakaba-kitaguchi", "Sakaba Kitaguchi", "izakaya", "Nagoya-Sakae", 0.7],
      ["books-fukurou", "Books Fukurou", "bookshop", "Tokyo-Jimbocho", 0.9],
      ["hondana-kyoto", "Hondana Kyoto", "bookshop", "Kyoto-Nakagyo", 0.7],
      ["manga-izumi", "Manga Izumi", "bookshop", "Tokyo-Nakano", 1.3],
      ["midori-pharmacy", "Midori Pharmacy", "pharmacy", "Tokyo-Ueno", 1.2],
      ["sakura-drug", "Sakura Drug", "pharmacy", "Osaka-Shinsaibashi", 1.7],
      ["kusuri-no-aoi", "Kusuri no Aoi", "pharmacy", "Kanazawa", 0.8],
      ["mart24-shibuya", "Mart24 Shibuya", "convenience", "Tokyo-Shibuya", 2.2],
      ["mart24-tenjin", "Mart24 Tenjin", "convenience", "Fukuoka-Tenjin", 1.6],
      ["mart24-susukino", "Mart24 Susukino", "convenience", "Sapporo-Susukino", 1.5],
      ["yaoya-maruichi", "Yaoya Maruichi", "grocery", "Tokyo-Sunamachi", 1.0],
      ["super-hinata", "Super Hinata", "grocery", "Saitama-Omiya", 2.0],
      ["pan-no-ki", "Pan no Ki", "bakery", "Kobe-Sannomiya", 1.1],
      ["boulangerie-sora", "Boulangerie Sora", "bakery", "Tokyo-Daikanyama", 0.9],
      ["bento-hanako", "Bento Hanako", "bento", "Tokyo-Shimbashi", 1.2],
      ["onigiri-tomo", "Onigiri Tomo", "bento", "Nagoya-Station", 1.0],
      ["hanaya-yuri", "Hanaya Yuri", "florist", "Kamakura", 0.8],
      ["kimono-asahi", "Kimono Asahi", "clothing", "Kyoto-Gion", 0.6],
      ["denki-akiba", "Denki Akiba", "electronics", "Tokyo-Akihabara", 1.4],
      ["sento-fuji", "Sento Fuji", "bathhouse", "Tokyo-Koenji", 0.9],
    ],
  },
  {
    timezone: "Europe/Berlin",
    currency: "EUR",
    country: "DE",
    shops: [
      ["kaffee-lindenhof", "Kaffee Lindenhof", "cafe", "Berlin-Kreuzberg", 2.2],
      ["baeckerei-sommer", "Bäckerei Sommer", "bakery", "Muenchen-Schwabing", 2.6],
      ["buchladen-am-kanal", "Buchladen am Kanal", "bookshop", "Leipzig-Plagwitz", 1.3],
      ["apotheke-am-markt", "Apotheke am Markt", "pharmacy", "Hamburg-Altona", 1.8],
      ["ramen-momo-berlin", "Ramen Momo", "ramen", "Berlin-Mitte", 1.9],
    ],
  },
  {
    timezone: "Europe/London",
    currency: "GBP",
    country: "GB",
    shops: [
      ["larkspur-coffee", "Larkspur Coffee", "cafe", "London-Hackney", 2.4],
      ["the-paper-fox", "The Paper Fox", "bookshop", "Bristol-Clifton", 1.2],
      ["corner-grocer-leith", "Corner Grocer Leith", "grocery", "Edinburgh-Leith", 2.0],
      ["the-copper-otter", "The Copper Otter", "izakaya", "Manchester-Ancoats", 2.1],
    ],
  },
  {
    timezone: "America/New_York",
    currency: "USD",
    country: "US",
    shops: [
      ["maple-street-coffee", "Maple Street Coffee", "cafe", "New York-Brooklyn", 4.0],
      ["harbor-books", "Harbor Books", "bookshop", "Boston-North End", 2.2],
      ["corner-drug-24", "Corner Drug 24", "pharmacy", "New York-Queens", 4.0],
      ["quickstop-midtown", "QuickStop Midtown", "convenience", "New York-Midtown", 4.5],
      ["noodle-works", "Noodle Works", "ramen", "Philadelphia-Fishtown", 3.6],
    ],
  },
  {
    timezone: "Asia/Kolkata",
    currency: "INR",
    country: "IN",
    shops: [
      ["chai-junction", "Chai Junction", "cafe", "Mumbai-Bandra", 2.6],
      ["patel-general-store", "Patel General Store", "grocery", "Ahmedabad-Navrangpura", 2.2],
      ["lotus-pharmacy", "Lotus Pharmacy", "pharmacy", "Bengaluru-Indiranagar", 1.8],
      ["spice-route-kitchen", "Spice Route Kitchen", "izakaya", "Delhi-Hauz Khas", 1.6],
    ],
  },
];
