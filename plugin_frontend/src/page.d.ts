// See pageUrl in vite.config.ts.
declare module "virtual:page" {
  const url: string;
  export default url;
}
