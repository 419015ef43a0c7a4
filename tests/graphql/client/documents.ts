import { graphql } from './gql/index.js';

/** A report as its page shows it. */
export const WholeReport = graphql(`
  query WholeReport($id: ID!) {
    report(id: $id) {
      ...ReportRow
      score
      scoreHigh
      submission { id state latestReport { id } }
      questionnaire { slug version sections { key title questions { key } } }
      evaluation {
        headline
        answered
        domains { key score tier }
        findings { severity points asked { key label } }
        plan { number wave projectedScore projectedRating asked { key title } }
        comparison { delta items { change asked { key } } previous { id } }
      }
    }
  }
`);
