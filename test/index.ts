/** With which suites does a third party prove what it plugs in? */
export { type DataSourceClaims, dataSourceSuite } from "./suites/dataSourceSuite.ts"
